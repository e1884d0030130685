import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const composeFolder = join(import.meta.dirname, '..', '..', 'compose')

export interface Service {
  readonly [key: string]: unknown
  readonly image?: string
  readonly profiles?: readonly string[]
  readonly environment?: { readonly [name: string]: string | number }
  readonly volumes?: readonly string[]
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } }
  readonly healthcheck?: { readonly [key: string]: unknown }
}

export interface ComposeFile {
  readonly [key: string]: unknown
  readonly services: { readonly [name: string]: Service }
  readonly volumes: { readonly [name: string]: object }
  readonly networks: { readonly [name: string]: object }
}

/** The compose file as both programs see it before variables are filled in: anchors and merges resolved. */
export const readComposeFile = (name = 'compose.yaml'): ComposeFile =>
  parse(readFileSync(join(composeFolder, name), 'utf8'), { merge: true }) as ComposeFile
