import { environmentTable } from '@voting/election/environment'
import { ingestVariables } from '../apps/ingest/src/config.ts'
import { tallyVariables } from '../apps/tally/src/config.ts'
import { viewerVariables } from '../apps/viewer/src/config.ts'

/** The page about configuration, made from the variables themselves. */
export const configurationPage = (): string => `# Configuration

Made by \`node scripts/configuration-page.ts\` from what the apps read. Secrets may be given as a file: \`<NAME>_FILE\` is its path. With
\`NODE_ENV=production\` secrets are never generated. \`--check\` validates an app's configuration and ends (exit code 78 if it is wrong).

## \`npm run ingest\`

${environmentTable(ingestVariables)}

## \`npm run tally\`

${environmentTable(tallyVariables)}

## \`npm run viewer\`

${environmentTable(viewerVariables)}

## \`npm start\`

\`npm start -- --help\` shows its options. It reads \`KAFKA_BROKERS\`, \`DATABASE_URL\`, \`ORGANISER_TOKEN\` and \`LOG_LEVEL\`.
`
