import { dockerAnswers } from '#harness/runtime/choose'
import { IMAGES } from '#harness/runtime/images'
import { same, type Text } from '#harness/text'
import { look, type Finding } from './finding.ts'
import { DOCTOR } from './messages.ts'

/** Whether a daemon answers, which version it is, and whether the images are here. */
export async function lookAtDocker(): Promise<Finding[]> {
  const answer = await dockerAnswers()
  if (!answer.yes) return [absent(answer.why)]
  return Promise.all([look('docker', version), look('images', images)])
}

/** No fault where servers of this machine take its place; one where Docker was asked for, or hangs. */
function absent(why: Text): Finding {
  if (process.env.LAB_RUNTIME === 'docker')
    return { topic: 'docker', status: 'missing', text: why, remedy: DOCTOR.startDocker }
  if (why.en.includes('within'))
    return { topic: 'docker', status: 'warn', text: why, remedy: DOCTOR.restartDocker }
  return { topic: 'docker', status: 'ok', text: DOCTOR.inItsPlace(why) }
}

async function client() {
  const { getContainerRuntimeClient } = await import('testcontainers')
  return (await getContainerRuntimeClient()).container.dockerode
}

async function version(): Promise<Omit<Finding, 'topic'>> {
  const { Version } = await (await client()).version()
  if (!Version) return { status: 'warn', text: DOCTOR.noVersion, remedy: DOCTOR.restartDocker }
  return { status: 'ok', text: same(Version) }
}

async function images(): Promise<Omit<Finding, 'topic'>> {
  const docker = await client()
  const all = Object.values(IMAGES)
  const here = await Promise.all(
    all.map((image) =>
      docker
        .getImage(image)
        .inspect()
        .then(
          () => true,
          () => false,
        ),
    ),
  )
  const absent = all.filter((_, i) => !here[i])
  if (absent.length === 0) return { status: 'ok', text: DOCTOR.imagesLocal(all) }
  const [first = ''] = absent
  return { status: 'warn', text: DOCTOR.imagesAbsent(absent), remedy: DOCTOR.pull(first) }
}
