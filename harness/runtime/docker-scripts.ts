/** What a container of Postgres runs before its server. */

/** Lets replicas in from other containers: the images' own rules name local addresses only. */
export const REPLICATION_RULE = '#!/bin/sh\necho "host replication all all trust" >> "$PGDATA/pg_hba.conf"\n'

/** In a container: port of the server to copy, and how to follow it. Read and removed by its next start. */
export const RESEED = '/reseed'

/** Made anew from a running server, the old data set aside, when that was asked for. */
const RESEED_SCRIPT = [
  'set -e',
  `if [ -s ${RESEED} ]; then`,
  `  { read -r port; read -r conninfo; } < ${RESEED}; rm ${RESEED}`,
  '  mv "$PGDATA" "$PGDATA.aside-$(date +%s%N)"; mkdir -p "$PGDATA"; chown -R postgres "$PGDATA"; chmod 700 "$PGDATA"',
  '  gosu postgres pg_basebackup -D "$PGDATA" -X stream -c fast --no-sync -d "host=host.docker.internal port=$port user=postgres application_name=harness"',
  '  gosu postgres touch "$PGDATA/standby.signal"',
  `  echo "primary_conninfo = '$conninfo'" >> "$PGDATA/postgresql.auto.conf"`,
  'fi',
].join('\n')

/** Begins as the image does. */
export const PRIMARY_SCRIPT = [RESEED_SCRIPT, 'exec docker-entrypoint.sh "$@"'].join('\n')

/** The first start sets the WAL 8 MB short of 4 GiB, before the server has run for anybody. */
export const FAR_SCRIPT = [
  RESEED_SCRIPT,
  'mkdir -p "$PGDATA" && chown -R postgres "$PGDATA" && chmod 700 "$PGDATA"',
  'if [ ! -s "$PGDATA/PG_VERSION" ]; then gosu postgres docker-ensure-initdb.sh; gosu postgres pg_resetwal -l 000000010000000000000FF8 "$PGDATA"; fi',
  'exec docker-entrypoint.sh "$@"',
].join('\n')

/** The first start copies the primary; later starts find the data and go on. */
export function standbyScript(name: string, port: number): string {
  const from = `host=host.docker.internal port=${port} user=postgres application_name=${name}`
  return [
    RESEED_SCRIPT,
    'mkdir -p "$PGDATA" && chown -R postgres "$PGDATA" && chmod 700 "$PGDATA"',
    `if [ ! -s "$PGDATA/PG_VERSION" ]; then gosu postgres pg_basebackup -D "$PGDATA" -R -X stream -c fast --no-sync -d "${from}"; fi`,
    'exec docker-entrypoint.sh "$@"',
  ].join('\n')
}
