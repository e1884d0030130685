import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../kafka/node.ts'
import { type CommandOptions, runCommand, tryCommand } from './command.ts'
import { composeFolder } from './compose-file.ts'
import type { Engine } from './engine.ts'

const healthDeadlineMs = 120_000

/** The composed system as a project of its own, with free ports; nothing of it is left after `remove`. */
export class ComposedSystem {
  readonly project = `voting-test-${randomBytes(3).toString('hex')}`
  readonly ingest: string
  readonly viewer: string
  readonly proxy: string
  readonly prometheus: string
  readonly #engine: Engine
  readonly #settings: { readonly [name: string]: string }

  private constructor(engine: Engine, version: string, ports: readonly number[]) {
    const [ingest, viewer, proxy, prometheus, grafana] = ports
    this.#engine = engine
    this.ingest = `http://localhost:${ingest}`
    this.viewer = `http://localhost:${viewer}`
    this.proxy = `http://localhost:${proxy}`
    this.prometheus = `http://localhost:${prometheus}`
    this.#settings = {
      VOTING_VERSION: version,
      INGEST_PORT: String(ingest),
      VIEWER_PORT: String(viewer),
      PROXY_PORT: String(proxy),
      PROMETHEUS_PORT: String(prometheus),
      GRAFANA_PORT: String(grafana),
      PUBLIC_URL: this.ingest,
      RESULTS_URL: this.viewer,
    }
  }

  /** `version`: of the image of the apps. */
  static async create(engine: Engine, version: string): Promise<ComposedSystem> {
    return new ComposedSystem(engine, version, await freePorts(5))
  }

  compose(parameters: readonly string[], env: NodeJS.ProcessEnv = {}, options: CommandOptions = {}): Promise<string> {
    const files = ['--project-name', this.project, '--file', `${composeFolder}/compose.yaml`]
    return runCommand([...this.#engine.composeCommand, ...files, ...parameters], {
      ...options,
      env: { ...this.#engine.env, ...this.#settings, ...env },
    })
  }

  /** Starts what is named, or the core, and waits until each is healthy. */
  async up(profiles: readonly string[], services: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    const named = profiles.flatMap((profile) => ['--profile', profile])
    await this.compose([...named, 'up', '--detach', '--no-build', ...services], env)
    for (const service of await this.running()) await this.untilHealthy(service)
  }

  /** Names of services that should be running. */
  async running(): Promise<readonly string[]> {
    const filter = ['--all', '--filter', `label=com.docker.compose.project=${this.project}`]
    const names = await this.#engine.docker(['ps', ...filter, '--format', '{{.Label "com.docker.compose.service"}}'])
    return names.split('\n').filter((name) => name !== '' && name !== 'secrets')
  }

  async container(service: string): Promise<string> {
    const labels = [`project=${this.project}`, `service=${service}`]
    const filter = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`])
    const id = (await this.#engine.docker(['ps', '--all', '--quiet', ...filter])).trim()
    if (!/^[0-9a-f]+$/.test(id)) throw new Error(`there is no one container of ${service}: ${JSON.stringify(id)}`)
    return id
  }

  async inspect(service: string, format: string): Promise<string> {
    return (await this.#engine.docker(['inspect', '--format', format, await this.container(service)])).trim()
  }

  async untilHealthy(service: string): Promise<void> {
    const endMs = Date.now() + healthDeadlineMs
    for (;;) {
      const health = await this.inspect(service, '{{.State.Status}}/{{.State.Health.Status}}')
      if (health === 'running/healthy') return
      if (Date.now() > endMs) {
        const said = await this.compose(['logs', '--no-color', '--tail', '30', service])
        throw new Error(`${service} is ${health} after ${healthDeadlineMs / 1000} s:\n${said}`)
      }
      await delay(250)
    }
  }

  /** Where its operations port is to be reached from this machine, where the engine runs on it too. */
  async operations(service: string): Promise<string> {
    const address = `{{(index .NetworkSettings.Networks "${this.project}_front").IPAddress}}`
    return `http://${await this.inspect(service, address)}:9100`
  }

  /** SIGKILL of its first process, as a crash is. The engine starts it again; where only it may kill, we do that. */
  async crash(service: string): Promise<void> {
    const pid = Number(await this.inspect(service, '{{.State.Pid}}'))
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      const id = await this.container(service)
      await this.#engine.docker(['kill', id])
      await this.#engine.docker(['start', id])
    }
  }

  secret(service: string, path: string): Promise<string> {
    return this.compose(['exec', '-T', service, 'node', '-p', `fs.readFileSync('${path}', 'utf8')`]).then((text) =>
      text.trim(),
    )
  }

  /** A program of the image of the apps, as root, with volumes of the project and folders of this machine. */
  async runAsRoot(mounts: { readonly [source: string]: string }, command: readonly string[]): Promise<void> {
    const volumes = Object.entries(mounts).flatMap(([source, target]) => [
      '-v',
      `${source.startsWith('/') ? source : `${this.project}_${source}`}:${target}`,
    ])
    const [program, ...parameters] = command
    const image = `voting-system:${this.#settings['VOTING_VERSION']}`
    const options = ['run', '--rm', '--user', 'root', '--entrypoint', program!, ...volumes]
    await this.#engine.docker([...options, image, ...parameters])
  }

  /** Containers, networks and volumes. Throws if any is left. */
  async remove(): Promise<void> {
    await this.compose([
      '--profile',
      'scale',
      '--profile',
      'load',
      '--profile',
      'obs',
      'down',
      '--volumes',
      '--timeout',
      '20',
    ])
    for (const kind of ['container', 'network', 'volume']) {
      const filter = `label=com.docker.compose.project=${this.project}`
      const { output } = await tryCommand(
        ['docker', kind, 'ls', ...(kind === 'container' ? ['--all'] : []), '--quiet', '--filter', filter],
        {
          env: this.#engine.env,
        },
      )
      if (output.trim() !== '') throw new Error(`left behind, a ${kind}: ${output}`)
    }
  }
}
