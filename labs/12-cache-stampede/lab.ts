import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say('Cache stampede', 'キャッシュスタンピード'),
  summary: say(
    'Four servers, one Redis, one Postgres, and the moment a popular entry is missing. Make a thousand readers cause one query, survive the one who holds the lock, and keep Postgres alive when Redis is gone.',
    'サーバー4台、Redis 1台、Postgres 1台。人気のあるエントリーがちょうど消えた瞬間を扱います。1,000人が読んでもクエリは1回に抑え、ロックの持ち主が消えても続け、Redisが落ちてもPostgresを守ります。',
  ),
  roles: ['server', 'warm'],
  topology: { pg: { kind: 'postgres' }, redis: { kind: 'redis' } },
  budget: 14_000,
  steps: [
    {
      id: 'single-flight',
      title: say('One flight per server', 'サーバーごとに一便'),
      points: 15,
      hints: [
        say(
          "The second request could wait for the first one's promise.",
          '2番目のリクエストは、1番目のプロミスを待てばよいのではありませんか。',
        ),
        say(
          'A `Map` from key to promise. Who removes an entry of it, and when, if the promise fails?',
          'キーからプロミスへの`Map`を持ちます。そこから取り除くのは誰で、プロミスが失敗したときはいつですか。',
        ),
        say(
          '`flights.set(key, p = work().finally(() => flights.delete(key)))`. Put the Redis read inside as well: 250 waiting requests need one `HGETALL`.',
          '`flights.set(key, p = work().finally(() => flights.delete(key)))`とします。Redisの読み取りも中に入れます。250件が待っていても`HGETALL`は1回で足ります。',
        ),
      ],
    },
    {
      id: 'lock',
      title: say('One flight for all servers', '全サーバーで一便'),
      points: 15,
      hints: [
        say(
          'Which single-threaded part do all servers share?',
          'すべてのサーバーが共有していて、一度に一つのことしかしない部品はどれですか。',
        ),
        say(
          "`SET key token NX PX ttl`. Who doesn't get it waits for the entry, not for the lock.",
          '`SET key token NX PX ttl`を使います。取れなかった側が待つのは、ロックではなくエントリーです。',
        ),
        say(
          'After getting the lock look at the entry again, with the same question as before ("could I serve this now?"): between your look and your lock somebody may have finished.',
          'ロックを取ったら、エントリーをもう一度見ます。問いは前と同じ「今これを返せるか」です。最初に見てからロックを取るまでの間に、誰かが終えているかもしれません。',
        ),
      ],
    },
    {
      id: 'lock-safety',
      title: say('The holder dies, or wakes up late', 'ロック保持者の死と寝坊'),
      points: 20,
      hints: [
        say(
          'What if the process stops between taking and giving back, for ever, or for a second?',
          '取ってから返すまでの間にプロセスが止まったら、どうなりますか。永久に止まる場合と、1秒だけ止まる場合があります。',
        ),
        say(
          'Expiry answers the first. Comparing the token when giving back answers half of the second. What answers the other half?',
          '前者には有効期限が答えます。後者の半分には、返すときのトークンの照合が答えます。残りの半分には、何が答えますか。',
        ),
        say(
          "`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end`; and the fill script stores only if the version in Redis is not larger.",
          "`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end`とします。書き込みのスクリプトは、Redisにあるバージョンのほうが大きければ何もしません。",
        ),
      ],
    },
    {
      id: 'freshness',
      title: say('Old now or right later: choose', '今すぐ古い値か、待って正しい値か'),
      points: 15,
      hints: [
        say(
          'Three questions to one entry: fresh? usable? how old at most?',
          '一つのエントリーに三つの問いがあります。新鮮か。まだ使えるか。古さはどこまで許されるか。',
        ),
        say(
          'Age starts when the query was sent, and it stands in the entry itself.',
          '年齢は、クエリを送った時刻から数えます。その時刻はエントリー自身に書いてあります。',
        ),
        say(
          'Separate "answer" from "refresh": `void flight(key, refresh).catch(log)`. For `strong` don\'t join a flight whose statement left before you came.',
          '「返すこと」と「更新すること」を分けます：`void flight(key, refresh).catch(log)`。`strong`では、自分が来る前にSQLを送り出した便に乗ってはいけません。',
        ),
      ],
    },
    {
      id: 'early',
      title: say('Refresh before it expires', '失効前に確率的に更新'),
      points: 10,
      hints: [
        say(
          'If everyone refreshes at 80 % of the life, they do it together.',
          '全員が寿命の80 %で更新すると、全員が同時に更新します。',
        ),
        say(
          'Let each reader toss a coin whose chance grows as the end comes near, and earlier for slow queries.',
          '読むたびに硬貨を投げます。終わりが近いほど、また遅いクエリほど、当たりやすくします。',
        ),
        say(
          'XFetch: refresh if `now − deltaMs · beta · Math.log(rand) ≥ freshUntil`, with `rand` in (0, 1].',
          'XFetch：`now − deltaMs · beta · Math.log(rand) ≥ freshUntil`なら更新します。`rand`は0より大きく1以下です。',
        ),
      ],
    },
    {
      id: 'warm',
      title: say('Fill the cache without a stampede', 'キャッシュを静かに温める'),
      points: 10,
      hints: [
        say(
          'What else happens on this Redis and Postgres while you warm?',
          '温めている間、このRedisとPostgresではほかに何が起きていますか。',
        ),
        say(
          'One query, then small portions with pauses.',
          'クエリは1回です。そのあと、休みを入れながら少しずつ書き込みます。',
        ),
        say(
          'Reuse the fill script, so that warming can never undo an update. Take `lock:warm` with a token, and extend it before each batch.',
          '書き込みのスクリプトを使い回せば、温めても更新を打ち消しません。`lock:warm`をトークン付きで取り、バッチのたびに延長します。',
        ),
      ],
    },
    {
      id: 'degrade',
      title: say('Redis is gone, keep Postgres alive', 'Redisが落ちてもDBを守る'),
      points: 15,
      // Redis is killed and started again; in a container each takes a second or more.
      limit: 45_000,
      hints: [
        say(
          'How many requests can Postgres do at once, and how many are you sending?',
          'Postgresが同時にこなせるのは何件で、あなたは何件送っていますか。',
        ),
        say(
          'A limit without a bounded queue only moves the pile. A bounded queue must say no to somebody.',
          '上限だけを設けても、行列の場所が移るだけです。行列にも上限を設けるなら、誰かに「いいえ」と言わなければなりません。',
        ),
        say(
          '`if (queue.length >= DB_QUEUE_MAX) throw new Overloaded()`; release in `finally`; keep the single flight when Redis is away.',
          '`if (queue.length >= DB_QUEUE_MAX) throw new Overloaded()`とし、枠は`finally`で返します。Redisがいない間も、サーバー内の一便は続けます。',
        ),
      ],
    },
  ],
})
