import { createTransport, type Transporter } from 'nodemailer'
import type { Logger } from 'stream-core'

export interface MailOptions {
  /** As `smtp://user:password@host:port`, or `smtps:` for TLS from the first byte. */
  readonly smtpUrl: string
  /** As `Elections <elections@city.example>`. */
  readonly from: string
}

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** A server that does not answer is given up after so long. */
const timeoutMs = 10_000

/** Sends mails by SMTP. */
export class Mailer {
  readonly #transport: Transporter
  readonly #from: string
  readonly #logger: Logger
  readonly #underWay = new Set<Promise<void>>()

  constructor({ smtpUrl, from }: MailOptions, logger: Logger) {
    this.#transport = createTransport(smtpUrl, {})
    Object.assign(this.#transport.options, {
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    })
    this.#from = from
    this.#logger = logger
  }

  /**
   * Sends a mail, later: how long it takes must not tell whether there is one to be sent. What goes wrong is logged, without
   * the address.
   */
  send(mail: Mail): void {
    const sending = this.#transport.sendMail({ from: this.#from, ...mail }).then(
      () => undefined,
      (error: unknown) => {
        const { code } = error as { code?: string }
        this.#logger.error({ event: 'mail.failed', code: code ?? 'unknown' }, 'a mail was not sent')
      },
    )
    this.#underWay.add(sending)
    void sending.finally(() => this.#underWay.delete(sending))
  }

  async close(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#transport.close()
  }
}
