import Layout from '@theme/Layout'
import useDocusaurusContext from '@docusaurus/useDocusaurusContext'
import { BookMap } from '../components/BookMap.tsx'
import { Here } from '../components/Here.tsx'
import { SampleFailure } from '../components/SampleFailure.tsx'
import { Ways } from '../components/Ways.tsx'
import { useSay } from '../text.ts'
import styles from './index.module.css'

export default function Home() {
  const t = useSay()
  const { tagline } = useDocusaurusContext().siteConfig
  return (
    <Layout description={tagline}>
      <main className={styles.home}>
        <section className={styles.opening}>
          <div className={styles.intro}>
            <h1>{t('The Scaling Workbook', 'スケーリング・ワークブック')}</h1>
            <p className={styles.lead}>{tagline}</p>
            <p>
              {t(
                'You write a small service. The tests start it several times, next to real Postgres and Redis servers, and then pull cables: a process is killed in the middle of a write, a reply is lost, a replica falls behind. You see what happened, in order, and mend it until every step is green.',
                '小さなサービスを書きます。テストはそれを何台も起動し、本物のPostgresとRedisを隣に置いて、ケーブルを抜いていきます。書き込みの途中でプロセスが落ち、返事が失われ、レプリカが遅れます。何がどの順に起きたかを見て、すべてのステップが緑になるまで直していきます。',
              )}
            </p>
            <Here />
            <Ways />
          </div>
          <SampleFailure />
        </section>
        <BookMap />
      </main>
    </Layout>
  )
}
