/**
 * The one error class that people are meant to read. Anything else that reaches the top is a bug.
 *
 * `usage`: what was asked cannot be done as asked (exit 2). `failure`: it should have worked and did not (exit 1).
 */
export class SidestepError extends Error {
  override readonly name = 'SidestepError'
  readonly kind: 'usage' | 'failure'

  /** `message` says what failed, on which input, and what to do next. */
  constructor(kind: 'usage' | 'failure', message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** Text of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
