import type { Server } from 'node:http'

/** Counts the requests that are under way, so that ingest can say what became of them when it stops. */
export class RequestsUnderWay {
  count = 0

  constructor(server: Server) {
    server.on('request', (_request, response) => {
      this.count++
      response.once('close', () => this.count--)
    })
  }
}
