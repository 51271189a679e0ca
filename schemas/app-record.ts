/** The app registry record, v1 (compacted topic `api.apps.v1` keyed by app_id, or one JSON object a line in a file). */
import { z } from 'zod'

const identifier = z.string().min(1).max(128)

export const AppRecord = z
  .object({
    app_id: identifier.describe('The registered application.'),
    owner_id: identifier.describe('The account that registered it; the same id space as user_id.'),
    name: z.string().max(512),
    description: z.string().max(8192).optional(),
    website: z.string().max(2048).optional(),
    callback_urls: z.array(z.string().max(2048)).max(100).optional(),
    created_at: z.union([z.string().max(64), z.number()]).describe('RFC 3339, or epoch milliseconds as a number.'),
    tier: z.string().max(64).optional(),
    status: z.string().max(64).optional(),
    limits: z
      .record(z.string().max(512), z.int().min(0).max(4_294_967_295))
      .optional()
      .describe('Route to requests per limit window.'),
  })
  .meta({ id: 'AppRecord', title: 'sidestep app registry record, v1' })
export type AppRecord = z.infer<typeof AppRecord>
