import { say, type Text } from '#harness/text'
import { gigabytes } from './units.ts'

/** What `npm run doctor` says. */
export const DOCTOR = {
  looking: say('looking at this machine', 'このマシンを調べています'),
  status: {
    ok: say('ok', '良好'),
    warn: say('warn', '注意'),
    missing: say('missing', '不足'),
  },
  names: {
    node: say('Node', 'Node'),
    system: say('System', 'システム'),
    docker: say('Docker', 'Docker'),
    images: say('Docker images', 'Dockerイメージ'),
    postgres: say('Postgres', 'Postgres'),
    redis: say('Redis', 'Redis'),
    user: say('User', 'ユーザー'),
    data: say('Data folder', 'データフォルダー'),
    disk: say('Disk', 'ディスク'),
    memory: say('Memory', 'メモリ'),
    ports: say('Ports', 'ポート'),
    workspace: say('workspace/', 'workspace/'),
    progress: say('Progress', '進捗'),
    events: say('File events', 'ファイルイベント'),
  },
  windows: say(
    'Windows: Postgres and the links want a Unix.',
    'Windowsです。PostgresとリンクはUnixを前提にしています。',
  ),
  cloneInWsl: say('Clone inside WSL.', 'WSLの中にcloneしてください。'),
  restartDocker: say(
    'Restart Docker, or run on local servers: LAB_RUNTIME=native npm run lab',
    'Dockerを再起動するか、ローカルのサーバーで動かしてください：LAB_RUNTIME=native npm run lab',
  ),
  startDocker: say(
    'Start Docker, or run: unset LAB_RUNTIME',
    'Dockerを起動するか、次を実行してください：unset LAB_RUNTIME',
  ),
  inItsPlace: (why: Text) =>
    say(
      `${why.en}; servers of this machine take its place`,
      `${why.ja}。代わりにこのマシンのサーバーを使います`,
    ),
  noVersion: say('It answers, but tells no version.', '応答しますが、バージョンを返しません。'),
  imagesLocal: (images: string[]) =>
    say(`${images.join(', ')}, here already`, `${images.join('、')}は取得済み`),
  imagesAbsent: (images: string[]) =>
    say(
      `${images.join(', ')}: fetched when the first lab starts`,
      `${images.join('、')}は最初のラボの起動時に取得します`,
    ),
  pull: (image: string) =>
    say(`Now, if you like: docker pull ${image}`, `先に取得するなら：docker pull ${image}`),
  notNeeded: (text: string) =>
    say(`${text} (not needed while Docker runs)`, `${text}(Dockerが動いていれば不要)`),
  redisFrom: (version: string, source: string) =>
    say(`${version}, ${SOURCES[source]!.en}`, `${version}、${SOURCES[source]!.ja}`),
  redisLater: say(
    'none yet; fetched from this system’s packages when a lab needs it (7 MB)',
    'まだありません。必要になったときに、このシステムのパッケージから取得します（7 MB）',
  ),
  asYou: say('servers run as you', 'サーバーは自分のユーザーで動きます'),
  asOther: (name: string) =>
    say(`you are root; servers run as ${name}`, `rootなので、サーバーは${name}で動きます`),
  free: (bytes: number) => say(`${gigabytes(bytes)} GB free`, `空き${gigabytes(bytes)} GB`),
  freeSome: say('Free 2 GB.', '2 GB空けてください。'),
  closeSome: say('Close other programs before a lab.', 'ラボの前に、ほかのプログラムを閉じてください。'),
  portFound: say('free ones between 20000 and 32000', '20000〜32000番に空きがあります'),
  canWrite: say('can be written', '書き込めます'),
  noProgress: say('nothing recorded yet', 'まだ記録がありません'),
  progressOf: (labs: number) =>
    say(`progress of ${labs} ${labs === 1 ? 'lab' : 'labs'}`, `${labs}個のラボの進捗`),
  eventsArrive: say('a save is seen at once', '保存をすぐに検知できます'),
  noEvents: say(
    'none arrive in this folder; saves are found by looking, within half a second',
    'このフォルダーにはイベントが届きません。保存は定期的に調べて、0.5秒以内に検知します',
  ),
  moveClone: say(
    'Clone into a folder of this system, not of Windows or the network.',
    'Windowsやネットワークではなく、このシステムのフォルダーにcloneしてください。',
  ),
  tookTooLong: (seconds: number) =>
    say(`no answer within ${seconds} s`, `${seconds}秒以内に応答がありません`),
  canRun: (runtime: string) =>
    say(`Labs run here, on ${runtime}.`, `このマシンでラボを動かせます（${runtime}）。`),
  cannotRun: say(
    'Labs do not run here yet: mend what is missing.',
    'このマシンではまだラボを動かせません。「不足」の項目を直してください。',
  ),
  docker: say('Docker', 'Docker'),
  native: say('native servers', 'ローカルのサーバー'),
}

const SOURCES: Record<string, { en: string; ja: string }> = {
  REDIS_SERVER: say('named by REDIS_SERVER', 'REDIS_SERVERで指定'),
  PATH: say('on the PATH', 'PATHにあります'),
  fetched: say('fetched into .runtime', '.runtimeに取得済み'),
}
