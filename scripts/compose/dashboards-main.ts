/** Writes Grafana's dashboards: `node scripts/compose/dashboards-main.ts`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { composeFolder } from './compose-file.ts'
import { dashboardJson, streamsDashboard, voteDashboard } from './dashboards.ts'

for (const dashboard of [voteDashboard, streamsDashboard]) {
  writeFileSync(join(composeFolder, 'grafana', 'dashboards', `${dashboard.uid}.json`), dashboardJson(dashboard))
}
