import type { Transporter } from 'nodemailer'
import type { Logger } from 'stream-core'

export interface MailOptions {
  /** As `smtp://user:password@host:port`, or `smtps:` for TLS from the first byte. */
  readonly smtpUrl: string
  /** As `Elections <elections@city.example>`. */
  readonly from: string
  /** A server that does not answer is given up after so long. Default 10 s. */
  readonly timeoutMs?: number
}

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Sends mails by SMTP. */
export class Mailer {
  readonly #transport: Transporter
  readonly #from: string
  readonly #logger: Logger
  readonly #underWay = new Set<Promise<void>>()

  private constructor(transport: Transporter, from: string, logger: Logger) {
    this.#transport = transport
    this.#from = from
    this.#logger = logger
  }

  static async open({ smtpUrl, from, timeoutMs = 10_000 }: MailOptions, logger: Logger): Promise<Mailer> {
    // Who sends no mails need not wait for it.
    const { createTransport } = await import('nodemailer')
    const url = new URL(smtpUrl)
    for (const name of ['connectionTimeout', 'greetingTimeout', 'socketTimeout', 'dnsTimeout']) {
      if (!url.searchParams.has(name)) url.searchParams.set(name, String(timeoutMs))
    }
    return new Mailer(createTransport(url.href), from, logger)
  }

  /**
   * Sends a mail, later: how long it takes must not tell whether there is one to be sent. What goes wrong is logged, without
   * the address. `may` is asked first, and may say that it is not to be sent.
   */
  send(mail: Mail, may: () => Promise<boolean> = async () => true): void {
    const sending = this.#send(mail, may).catch((error: unknown) => {
      const { code } = error as { code?: string }
      this.#logger.error({ event: 'mail.failed', code: code ?? 'unknown' }, 'a mail was not sent')
    })
    this.#underWay.add(sending)
    void sending.finally(() => this.#underWay.delete(sending))
  }

  async #send(mail: Mail, may: () => Promise<boolean>): Promise<void> {
    if (await may()) await this.#transport.sendMail({ from: this.#from, ...mail })
  }

  async close(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#transport.close()
  }
}
