/** DSPy programs on Databricks, in the browser and at the edge. */
export type { HostToken, TokenFunction } from './auth/tokens.js';
export { multiChainComparison, react, reactV2, type AgentOptions, type ComparisonOptions } from './agents.js';
export type { PredictOptions } from './asking.js';
export type { CacheStore } from './cache.js';
export { configure, type Adapter, type AdapterName, type AdapterOptions, type Defaults, type LanguageModel, type Retriever, type Settings, type TwoStepOptions } from './configure.js';
export { init } from './core.js';
export { LakeletError, type ErrorCode, type ErrorDetails, type UnreadableReply } from './errors.js';
export {
  evaluate,
  type EvaluateOptions, type EvaluateSettings, type Evaluation, type EvaluationProgress, type EvaluationRow, type EvaluationSummary, type Listeners,
  type Metric, type Score, type StreamedEvaluateOptions,
} from './evaluate.js';
export { compare, type Comparison } from './evaluation/compare.js';
export { toCsv, toJson, toTable, type ResultsOptions, type TableOptions } from './evaluation/results.js';
export type { DescribedError, EndedCall, Message, ModelCall, ProgramEvent, Span, Usage } from './events.js';
export type { ModelFieldOptions, ModelFields, ObjectSchema, TypeSpec, TypeSpecs } from './declare.js';
export type { Given, Inputs, Outputs, TypeOf } from './infer.js';
export {
  languageModel, ModelRequest,
  type ChatCompletion, type ChatCompletionChunk, type LanguageModelOptions, type ModelFunction, type ModelReply, type ReportedUsage,
} from './language-model.js';
export {
  answerExactMatch, answerPassageMatch, completeAndGrounded, exactMatch, f1, hotPotF1, majority, normalizeText, precisionScore, semanticF1,
  type Judged, type JudgeOptions,
} from './metrics.js';
export { Module } from './module.js';
export { parallel, Parallel, type Pair, type ParallelOptions, type Results } from './parallel.js';
export { pipeline, Pipeline, type PipelineDocument, type PipelineInput, type PipelineInputSpec, type PipelineOptions, type PipelineStepSpec } from './pipeline.js';
export { chainOfThought, predict, Predictor } from './predict.js';
export { Program } from './program.js';
export {
  ResourceManager,
  type BatchItem, type BatchOptions, type BatchProgress, type BatchResults, type EndpointLoad, type ModelSource,
} from './resources.js';
export { knn, retrieve, type KnnOptions, type Vectorizer } from './retrieve.js';
export { router, type PassedOver, type RouterOptions } from './router.js';
export { inspect, type Budget, type CallOptions, type Checkpoint, type Inspection, type PredictCall, type Spent } from './run.js';
export { PredictorSettings, type Example } from './settings.js';
export {
  inputField, outputField, signature, Signature,
  type Constraints, type Field, type FieldOptions, type FieldSpec, type InputsOf, type NewField, type OutputsOf, type SignatureLike, type SignatureOptions,
  type SignatureSpec, type SignatureState,
} from './signature.js';
export { withStatus, type StatusMessages } from './status.js';
export type { ProgramStream } from './stream.js';
export { tool, Tool, type ArgsOf, type ToolArgs, type ToolSpec } from './tool.js';
export { bestOfN, refine, Tries, type TriesOptions } from './tries.js';
export {
  Audio, Citations, Code, Document, File, float, History, Image, Reasoning, ToolCalls, tuple,
  type Citation, type ToolCall, type ToolCallResult,
} from './types.js';
export type { ModuleSource } from './wasm-module.js';
export { Index, Model, Workspace, type IndexOptions, type ModelOptions, type WorkspaceOptions, type WorkspaceRequest } from './workspace.js';
