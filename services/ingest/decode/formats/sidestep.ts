/** sidestep's own shape: schemas/request-record.ts, one JSON object a line. Nothing is renamed, so nothing is copied. */
import type { LogFormat } from './format.ts'

export const sidestep: LogFormat = {
  name: 'sidestep',
  summary: "sidestep's own request records (docs/formats.md)",
  map: (entry) => entry,
}
