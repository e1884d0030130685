/** What stands against a backup or a restore, and what to do about it: the operator's to mend. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: 'nothing-there' | 'in-use' | 'exists' | 'damaged' | 'incomplete' | 'unknown-format' | 'not-empty'

  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
