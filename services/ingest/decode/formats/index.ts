/** The named formats of `--format` and `INGEST_FORMAT`. */
import { z } from 'zod'

import { apigee } from './apigee.ts'
import { awsApigateway } from './aws-apigateway.ts'
import { ecs } from './ecs.ts'
import { envoy } from './envoy.ts'
import type { LogFormat } from './format.ts'
import { kong } from './kong.ts'
import { nginx } from './nginx.ts'
import { ocsf } from './ocsf.ts'
import { otel } from './otel.ts'
import { sidestep } from './sidestep.ts'

export const FormatName = z.enum([
  'sidestep',
  'envoy',
  'kong',
  'aws-apigateway',
  'apigee',
  'nginx',
  'otel',
  'ecs',
  'ocsf',
])
export type FormatName = z.infer<typeof FormatName>

export const FORMATS: Readonly<Record<FormatName, LogFormat>> = {
  sidestep,
  envoy,
  kong,
  'aws-apigateway': awsApigateway,
  apigee,
  nginx,
  otel,
  ecs,
  ocsf,
}
