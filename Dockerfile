# One image for every service and command of sidestep: `docker run --rm sidestep ingest`, `… migrate`, `… findings`.
# BASE_IMAGE: any Debian 12 with Node 24, npm and a user `node`; a locally built one serves where no registry can be reached.
ARG BASE_IMAGE=node:24.21.0-bookworm-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The install scripts would only unpack another Node; the native parts come ready in their packages.
RUN npm ci --omit=dev --ignore-scripts

FROM ${BASE_IMAGE}
WORKDIR /app
# For the embedded engine; services with CLICKHOUSE_URL write nothing to disk.
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY . .
ENV NODE_ENV=production DATA_DIR=/data
USER node
ENTRYPOINT ["node", "--disable-warning=TimeoutNegativeWarning", "--disable-warning=ExperimentalWarning", "cli/main.ts"]
CMD ["--help"]
