/** Images of the docker runtime, pinned by tag. The environment may name others with the same contract. */
export const IMAGES = {
  postgres: process.env.LAB_POSTGRES_IMAGE ?? 'postgres:18.4-alpine',
  redis: process.env.LAB_REDIS_IMAGE ?? 'redis:8.4-alpine',
}
