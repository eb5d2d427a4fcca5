import { generationsRoute } from './generations-route.ts';
import { modelsRoutes } from './models-route.ts';
import { variationsRoute } from './variations-route.ts';

/** Every route of the OpenAI-compatible API. Each names in its type what it uses. */
export const openAiRoutes = [generationsRoute, modelsRoutes, variationsRoute] as const;
