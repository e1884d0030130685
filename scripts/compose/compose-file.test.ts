import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ingestVariables } from '../../apps/ingest/src/config.ts'
import { tallyVariables } from '../../apps/tally/src/config.ts'
import { viewerVariables } from '../../apps/viewer/src/config.ts'
import { composeFolder, readComposeFile } from './compose-file.ts'

const file = readComposeFile()
const services = Object.entries(file.services)
const core = ['secrets', 'postgres', 'kafka', 'ingest', 'tally', 'viewer']

/** Of the schema of docker-compose 1.29.2 and of the Compose specification: what both know, and we use or might. */
const known = {
  top: ['services', 'networks', 'volumes', 'secrets', 'configs'],
  service: `
    build cap_add cap_drop command configs cpus depends_on entrypoint environment env_file expose
    extra_hosts group_add healthcheck hostname image init labels logging mem_limit mem_reservation
    network_mode networks pids_limit ports profiles read_only restart secrets security_opt shm_size
    stop_grace_period stop_signal sysctls tmpfs ulimits user volumes working_dir`
    .trim()
    .split(/\s+/),
  build: ['context', 'dockerfile', 'args', 'network', 'target'],
  healthcheck: ['disable', 'interval', 'retries', 'test', 'timeout', 'start_period'],
  conditions: ['service_started', 'service_healthy', 'service_completed_successfully'],
}

test('only keys that docker-compose 1.29 and Compose v2 both know are used', () => {
  const unknownOf = (value: object, keys: readonly string[]): string[] =>
    Object.keys(value).filter((key) => !keys.includes(key) && !key.startsWith('x-'))
  expect(unknownOf(file, known.top)).toEqual([])
  for (const [name, service] of services) {
    expect(unknownOf(service, known.service), name).toEqual([])
    expect(unknownOf(service.healthcheck ?? {}, known.healthcheck), name).toEqual([])
    expect(unknownOf((service['build'] as object) ?? {}, known.build), name).toEqual([])
    for (const [needed, condition] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(condition), `${name} needs ${needed}`).toEqual(['condition'])
      expect(known.conditions).toContain(condition.condition)
    }
  }
})

test('the core is what has no profile, and needs nothing that has one', () => {
  expect(services.filter(([, { profiles }]) => !profiles).map(([name]) => name)).toEqual(core)
  for (const name of core) {
    for (const needed of Object.keys(file.services[name]!.depends_on ?? {})) expect(core).toContain(needed)
  }
  expect(new Set(services.flatMap(([, { profiles }]) => profiles ?? []))).toEqual(new Set(['scale', 'load', 'obs']))
})

test.each(services)('%s runs without root and without a file system to write to, within limits', (_name, service) => {
  expect(service).toMatchObject({
    user: expect.stringMatching(/^[1-9]\d*:\d+$/),
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    mem_limit: expect.stringMatching(/^\d+[mg]$/),
    cpus: expect.any(Number),
    pids_limit: expect.any(Number),
  })
  expect(service['privileged'] ?? service['cap_add']).toBeUndefined()
})

test.each(services)('%s says how it is, and is started again; or it ends', (_name, service) => {
  if (service['restart'] === 'no') expect(service.healthcheck).toEqual({ disable: true })
  else {
    expect(service['restart']).toBe('unless-stopped')
    expect(service.healthcheck).toMatchObject({ test: expect.any(Array), interval: expect.any(String) })
    expect(service['stop_grace_period']).toMatch(/^\d+s$/)
  }
})

test('our programs hear a signal from their first moment on', () => {
  for (const [name, { image, init }] of services)
    expect(init, name).toBe(image!.startsWith('voting') ? true : undefined)
})

test.each(services)('%s has an image of one version', (_name, { image }) => {
  // Our own is built here; the others name a version, never `latest`.
  expect(image).toMatch(/^(?:voting-system:\$\{VOTING_VERSION:-local\}|[a-z/]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?)$/)
})

test('the image is made from the Node that the bootstrap names', () => {
  const version = /nodeVersion = '([^']+)'/.exec(readFileSync(join(composeFolder, '../scripts/bootstrap.mjs'), 'utf8'))
  const pnpm = /pnpmVersion = '([^']+)'/.exec(readFileSync(join(composeFolder, '../scripts/bootstrap.mjs'), 'utf8'))
  const dockerfile = readFileSync(join(composeFolder, 'Dockerfile'), 'utf8')
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1])
  expect(new Set(bases)).toEqual(new Set([`node:${version![1]}-bookworm-slim`]))
  expect(dockerfile).toContain(`pnpm@${pnpm![1]}`)
})

test('every named volume is declared, and every declared one is used', () => {
  const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':', 1)[0]!))
  const named = used.filter((name) => !/^[./]/.test(name))
  expect(new Set(named)).toEqual(new Set(Object.keys(file.volumes)))
})

test('secrets come as files, each to those only who need it', () => {
  for (const [name, { environment = {} }] of services) {
    const secrets = Object.keys(environment).filter((key) => /PASSWORD|TOKEN|SECRET|DATABASE_URL/.test(key))
    for (const key of secrets) expect(key, name).toMatch(/_FILE$/)
  }
  const holders = (volume: string): string[] =>
    services
      .filter(([, { volumes = [] }]) => volumes.some((each) => each.startsWith(`${volume}:`)))
      .map(([name]) => name)
  expect(holders('postgres-secret')).toEqual(['secrets', 'postgres'])
  expect(holders('organiser-secret')).toEqual(['secrets', 'ingest', 'load'])
  expect(holders('database-secret')).toEqual(['secrets', 'ingest', 'tally', 'viewer', 'tally-2', 'viewer-2'])
  for (const [name, { volumes = [] }] of services) {
    if (name === 'secrets') continue
    for (const volume of volumes.filter((each) => /-secret:/.test(each))) expect(volume, name).toMatch(/:ro$/)
  }
})

test('the apps are given only variables that they read', () => {
  const outside = ['NODE_ENV', 'NODE_OPTIONS', 'TMPDIR']
  const shared = ['KAFKA_BROKERS', 'BALLOT_PARTITIONS', 'HOST']
  const read = { ingest: ingestVariables, tally: tallyVariables, viewer: viewerVariables }
  for (const [name, variables] of Object.entries(read)) {
    const given = Object.keys(file.services[name]!.environment!)
    const unknown = given
      .map((key) => key.replace(/_FILE$/, ''))
      .filter((key) => !(key in variables) && !outside.includes(key) && !shared.includes(key))
    expect(unknown, name).toEqual([])
  }
})

test('every setting of signing in reaches ingest, and what is secret of them as a file', () => {
  const settings = Object.entries(ingestVariables).filter(([name]) => /^(?:OIDC|SMTP|MAIL)_/.test(name))
  const files = ['oidc.yaml', 'mail.yaml'].map(
    (name) => readComposeFile(name) as typeof file & { readonly secrets: object },
  )
  const given = [file, ...files].flatMap(({ services: of }) => Object.keys(of['ingest']!.environment!))
  for (const [name, variable] of settings) expect(given).toContain('secret' in variable ? `${name}_FILE` : name)
  for (const { services: of, secrets } of files) {
    expect(Object.keys(of)).toEqual(['ingest'])
    const { environment, secrets: used } = of['ingest'] as { environment: Record<string, string>; secrets: string[] }
    const paths = Object.entries(environment).flatMap(([name, value]) => (name.endsWith('_FILE') ? [value] : []))
    expect(paths).toEqual(used.map((secret) => `/run/secrets/${secret}`))
    expect(Object.keys(secrets)).toEqual(used)
    for (const name of Object.keys(environment)) expect(ingestVariables).toHaveProperty(name.replace(/_FILE$/, ''))
  }
})

test('what is published is published to this machine alone, unless somebody says otherwise', () => {
  for (const [name, service] of services) {
    for (const port of (service['ports'] as string[] | undefined) ?? []) {
      expect(port, name).toMatch(/^\$\{BIND:-127\.0\.0\.1\}:/)
    }
  }
  expect(file.networks['back']).toEqual({ internal: true })
  expect(file.services['postgres']!['networks']).toEqual(['back'])
  expect(file.services['kafka']!['networks']).toEqual(['back'])
})

test("secrets of one's own take the place of every generated one that an app or the database reads", () => {
  const own = readComposeFile('own-secrets.yaml') as typeof file & { readonly secrets: object }
  expect(Object.keys(own).filter((key) => !known.top.includes(key) && !key.startsWith('x-'))).toEqual([])
  const filesOf = ({ environment = {} }: { readonly environment?: object }): string[] =>
    Object.keys(environment).filter((key) => key.endsWith('_FILE') && !key.startsWith('GF_'))
  for (const [name, service] of services) {
    const given = own.services[name] ?? {}
    expect(filesOf(given), name).toEqual(filesOf(service))
    const paths = Object.values(given.environment ?? {})
    expect(paths, name).toEqual(((given['secrets'] as string[]) ?? []).map((secret) => `/run/secrets/${secret}`))
    for (const secret of (given['secrets'] as string[]) ?? []) expect(own.secrets).toHaveProperty(secret)
  }
})
