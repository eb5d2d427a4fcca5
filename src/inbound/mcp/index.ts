import type { Estimate } from '../../domain/estimate.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, Log, ThumbnailMaker } from '../../domain/ports.ts';
import type { Presets } from '../../domain/preset.ts';
import type { Inputs } from '../../usecases/inputs/index.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { createPresentResult, type PresentResult } from './present-result.ts';
import type { Serve } from './serve.ts';
import { createSubmitOnce } from './submit-once.ts';
import { createJobTasks } from './tasks/job-tasks.ts';
import type { Tool } from './tool.ts';
import { createImagesTools } from './tools/create-images.ts';
import { listModelsTools } from './tools/list-models.ts';
import { readImagesTools } from './tools/read-images.ts';

export interface McpDeps {
  readonly jobs: Pick<
    Jobs,
    'submitJob' | 'getJob' | 'streamJobEvents' | 'listJobs' | 'cancelJob' | 'presentJob' | 'readImage'
  >;
  readonly inputs: Pick<Inputs, 'collectInputs'>;
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  readonly estimate: Estimate;
  readonly thumbnailMaker: ThumbnailMaker;
  readonly linkSeconds: number;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly version: string;
  /** Names repeated calls. */
  readonly keyedDigest: (text: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the server of the Model Context Protocol over Streamable HTTP. It holds no state between requests, so any process
 * may serve any of them. It speaks the revisions of 2025 and of 2026-07-28.
 *
 * @returns the tools, and a function that loads the server. Imports the SDK on demand, because few processes need it.
 */
export function createMcp(deps: McpDeps) {
  const { jobs, version, log } = deps;
  const present = createPresentResult(deps);
  const tools = toolsOf(deps, present);
  let serve: Serve | undefined;
  async function load(): Promise<Serve> {
    const { createServe } = await import('./serve.ts');
    serve ??= createServe({ tools, tasks: createJobTasks({ ...deps, present }), jobs, version, log });
    return serve;
  }
  return { tools: tools as readonly Pick<Tool, 'name' | 'description'>[], load };
}
export type Mcp = ReturnType<typeof createMcp>;

function toolsOf(deps: McpDeps, present: PresentResult): Tool[] {
  const { jobs, inputs } = deps;
  const submitOnce = createSubmitOnce(deps);
  return [
    ...createImagesTools({ jobs, inputs, submitOnce, present }),
    ...readImagesTools({ jobs, present }),
    ...listModelsTools(deps),
  ];
}
