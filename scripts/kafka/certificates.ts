import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Guards key stores that are removed with the folder they lie in. */
export const storePassword = 'local-kafka'

export interface Certificates {
  /** The brokers' key store (PKCS#12), and their certificate, which is what clients have to trust (PEM). */
  readonly brokerStore: string
  readonly brokerCertificate: string
  readonly clientStore: string
  readonly clientCertificate: string
}

/** Certificates that vouch for themselves, for a day or two, made by the `keytool` that comes with Java. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  mkdirSync(folder)
  const [broker, client] = await Promise.all([
    makeCertificate(folder, 'broker', ['-ext', 'san=ip:127.0.0.1,dns:localhost']),
    makeCertificate(folder, 'client', []),
  ])
  return {
    brokerStore: broker.store,
    brokerCertificate: broker.certificate,
    clientStore: client.store,
    clientCertificate: client.certificate,
  }
}

async function makeCertificate(folder: string, name: string, extensions: readonly string[]) {
  const [store, certificate] = [join(folder, `${name}.p12`), join(folder, `${name}.pem`)]
  const where = ['-alias', name, '-keystore', store, '-storetype', 'PKCS12', '-storepass', storePassword]
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', `CN=local-kafka ${name}`, '-validity', '2']
  await keytool('-genkeypair', ...where, ...key, ...extensions)
  await keytool('-exportcert', '-rfc', '-file', certificate, ...where)
  return { store, certificate }
}

async function keytool(...command: string[]): Promise<void> {
  await promisify(execFile)('keytool', command)
}

/** What a client gives as `tls`. */
export function clientTls(made: Certificates, isMutual: boolean): { ca: string; pfx?: Buffer; passphrase?: string } {
  return {
    ca: readFileSync(made.brokerCertificate, 'utf8'),
    ...(isMutual && { pfx: readFileSync(made.clientStore), passphrase: storePassword }),
  }
}
