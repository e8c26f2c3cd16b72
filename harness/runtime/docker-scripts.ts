/** What a container of Postgres runs before its server. */

/** Lets replicas in from other containers: the images' own rules name local addresses only. */
export const REPLICATION_RULE = {
  content: '#!/bin/sh\necho "host replication all all trust" >> "$PGDATA/pg_hba.conf"\n',
  target: '/docker-entrypoint-initdb.d/replication.sh',
  mode: 0o755,
}

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

/** Volume of a command: the image's own first start leaves its data folder there, once for all servers. */
export const BASE = '/base'

/**
 * Before 16, the postmaster can miss that the next WAL receiver is to start when the last one ends at the same moment
 * (its signal comes between the unmasking and `select`), and then sleeps until something wakes it: a replica whose link
 * was cut came back after 15 s. This signal says nothing, and wakes it. In 16 it waits on a latch and misses nothing.
 */
const WAKE_SCRIPT = 'if [ "${PG_MAJOR:-16}" -lt 16 ]; then while sleep 1; do kill -USR1 1; done & fi'

/**
 * What a container of Postgres runs. Its first start copies the volume's data folder, or is the one that makes it;
 * later starts find their data and go on.
 * @param far its WAL stands 8 MB short of 4 GiB before anybody uses it
 * @param conninfo of whom it follows: a server that began with the same copy, and still has all its WAL
 */
export function startScript({ far, conninfo }: { far: boolean; conninfo: string | undefined }): string {
  return [
    RESEED_SCRIPT,
    'if [ ! -s "$PGDATA/PG_VERSION" ]; then',
    `  ( flock 9; [ -d ${BASE}/data ] || {`,
    `    rm -rf ${BASE}/making; mkdir -m 700 ${BASE}/making; chown postgres ${BASE}/making`,
    `    PGDATA=${BASE}/making gosu postgres docker-ensure-initdb.sh`,
    ...(far
      ? [
          `    gosu postgres pg_resetwal -l 000000010000000000000FF8 ${BASE}/making`,
          // It leaves `wal_level=minimal` on record, and no replica begins with that: a server's run writes its own.
          `    gosu postgres pg_ctl -D ${BASE}/making -o '-c listen_addresses=' -w start`,
          `    gosu postgres pg_ctl -D ${BASE}/making -m fast -w stop`,
        ]
      : []),
    `    mv ${BASE}/making ${BASE}/data`,
    `  } ) 9> ${BASE}/lock`,
    `  mkdir -p "$PGDATA"; cp -a ${BASE}/data/. "$PGDATA"`,
    ...(conninfo
      ? [
          '  gosu postgres touch "$PGDATA/standby.signal"',
          `  echo "primary_conninfo = '${conninfo}'" >> "$PGDATA/postgresql.auto.conf"`,
        ]
      : []),
    'fi',
    WAKE_SCRIPT,
    'exec docker-entrypoint.sh "$@"',
  ].join('\n')
}
