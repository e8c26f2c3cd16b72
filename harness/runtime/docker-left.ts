import { getContainerRuntimeClient, type ContainerRuntimeClient } from 'testcontainers'
import { CLONE_ID } from '../paths.ts'
import { OWNER } from '../process/owned.ts'
import { eventuallyTrue } from '../wait.ts'

const CLONE_LABEL = 'org.scaling-workbook.clone'
const OWNER_LABEL = 'org.scaling-workbook.owner'

/** On every container and volume of this command. */
export const LABELS = { [CLONE_LABEL]: CLONE_ID, [OWNER_LABEL]: OWNER }

/** Not running, not paused, already paused, already gone: what was asked for holds. */
export function alreadySo(error: { statusCode?: number; message?: string }): void {
  const settled =
    [304, 404, 409].includes(error.statusCode ?? 0) ||
    /not paused|already paused|not running/.test(error.message ?? '')
  if (!settled) throw error
}

/** Removes the containers and volumes of a command of this clone. Returns the names of the containers. */
export async function sweepContainers(owner: string): Promise<string[]> {
  return removeOwned(await getContainerRuntimeClient(), (other) => other === owner)
}

/**
 * Removes the containers of this clone's commands that `mine` names, then their volumes. Returns the names of the
 * containers. Asked until nothing is listed: a daemon may still do what a killed command had asked for, a creation or a
 * removal, and meanwhile a container says that it is busy, and a volume that it is in use.
 */
export async function removeOwned(
  client: ContainerRuntimeClient,
  mine: (owner: string) => boolean,
): Promise<string[]> {
  const { dockerode } = client.container
  const filters = { label: [`${CLONE_LABEL}=${CLONE_ID}`] }
  const removed = new Set<string>()
  await eventuallyTrue('containers and volumes to be removed', async () => {
    const [all, { Volumes }] = await Promise.all([
      dockerode.listContainers({ all: true, filters }),
      dockerode.listVolumes({ filters }),
    ])
    const containers = all.filter((c) => mine(c.Labels[OWNER_LABEL] ?? ''))
    const volumes = (Volumes ?? []).filter((v) => mine(v.Labels?.[OWNER_LABEL] ?? ''))
    for (const c of containers) removed.add(`container ${c.Names[0] ?? c.Id}`)
    await Promise.all(
      containers.map((c) => client.container.getById(c.Id).remove({ force: true, v: true }).catch(alreadySo)),
    )
    await Promise.all(volumes.map((v) => dockerode.getVolume(v.Name).remove().catch(alreadySo)))
    return containers.length + volumes.length === 0
  })
  return [...removed]
}
