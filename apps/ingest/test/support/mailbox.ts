import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface ReceivedMail {
  readonly to: string
  readonly from: string
  /** Headers and body as they came, soft line breaks undone. */
  readonly text: string
}

/** A real SMTP server on this machine that keeps what it is sent. */
export class Mailbox {
  readonly mails: ReceivedMail[] = []
  readonly #server: SMTPServer

  private constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        let text = ''
        stream.setEncoding('utf8')
        stream.on('data', (chunk: string) => (text += chunk))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          this.mails.push({
            to: rcptTo.map(({ address }) => address).join(),
            from: mailFrom ? mailFrom.address : '',
            text: text.replaceAll('=\r\n', '').replaceAll('=3D', '='),
          })
          done()
        })
      },
    })
  }

  static async open(): Promise<Mailbox> {
    const mailbox = new Mailbox()
    await new Promise<void>((resolve) => mailbox.#server.listen(0, '127.0.0.1', resolve))
    return mailbox
  }

  get smtpUrl(): string {
    const { port } = this.#server.server.address() as AddressInfo
    return `smtp://127.0.0.1:${port}`
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve))
  }
}
