/** The Databricks platform: what a workspace has beside models and indexes. Its module is loaded when it is first called. */
export type { AuthType, FoundSettings } from '../auth/resolve.js';
export { configureDatabricks, type Databricks, type DatabricksOptions, type Reach } from './configure.js';
export { DistributedDataProcessor, type AiQueryOptions, type JobOptions, type SelectionQuery, type TrainingExample } from './data.js';
export {
  Files, WorkspaceFiles, type Content, type DirectoryEntry, type FileInfo, type ImportOptions, type ListOptions, type NotebookLanguage, type UploadOptions,
  type WorkspaceFormat, type WorkspaceObject,
} from './files.js';
export { Jobs, type Job, type JobSettings, type Run, type RunFilter, type RunOutput, type RunSettings, type RunState, type Task } from './jobs.js';
export {
  MlflowLogger, MlflowLogger as DSPyMLflowLogger,
  type LoggedModel, type LogMetricsOptions, type LogModelOptions, type MlflowLoggerOptions, type ModelIndex, type StartRunOptions, type TokenPrice,
} from './mlflow.js';
export { MlflowRun, type MlflowRunStatus, type StartedRun } from './mlflow-run.js';
export {
  ModelRegistry, type Candidate, type CatalogueRow, type Embedder, type ModelType, type ModelSelection, type Observation, type SelectOptions,
  type SelectionRule, type SelectionTable, type ServedModel,
} from './models.js';
export { initDatabricks, type Progress, type ServiceCallOptions, type WaitOptions } from './module.js';
export {
  Pipelines, type PipelineEvent, type PipelineInfo, type PipelineSpec, type PipelineUpdate, type UpdateRequest,
} from './pipelines.js';
export { reportData, ReportGenerator, type Report, type ReportData } from './report.js';
export type { Condition, ConditionValue, DataOutput, FileSource, Selection } from './selection.js';
export {
  ServingEndpoints, type AiGateway, type CreateOptions, type EndpointConfig, type EndpointDefinition, type ExternalModel, type ModelInput,
  type RateLimit, type ServedEntity, type ServingEndpoint, type Tag,
} from './serving.js';
export {
  SqlPages, Warehouse, type PagesOptions, type SqlColumn, type SqlResult, type SqlValue, type StatementOptions, type WarehouseInfo,
} from './sql.js';
export { TableAnswers, type TableAnswer, type TableEvaluation } from './table-answers.js';
export {
  UnityCatalog, type CatalogInfo, type ColumnInfo, type EffectivePrivileges, type FunctionInfo, type ModelVersionInfo, type PrivilegeChange, type Privileges,
  type RegisteredModelInfo, type RegisteredModels, type SchemaInfo, type Securables, type TableInfo, type VolumeInfo,
} from './unity-catalog.js';
export { VectorSearchManager } from './vector-search.js';
export type {
  DeltaSyncIndex, DirectAccessIndex, EmbeddingSourceColumn, EmbeddingVectorColumn, RowsChanged,
  VectorIndexInfo, VectorSearchEndpoint, VectorSearchQuery, VectorSearchResult,
} from './vector-search-types.js';
