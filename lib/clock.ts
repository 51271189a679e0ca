/** Time as it is passed in: the real one is built in a service's main. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly wallMs: () => number
  /** Milliseconds from some start; never goes back. */
  readonly steadyMs: () => number
}
