/** The published types say `export default` of a CommonJS module whose export is the function itself; this says what is true. */
import type { AbstractGraph } from 'graphology-types'

declare function louvain(
  graph: AbstractGraph,
  options?: { getEdgeWeight?: string; resolution?: number; rng?: () => number },
): Record<string, number>

// oxlint-disable-next-line import/no-default-export
export default louvain
