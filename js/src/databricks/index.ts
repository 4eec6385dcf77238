/** The Databricks platform: what a workspace has beside models and indexes. Its module is loaded when it is first called. */
export { initDatabricks, type Progress, type ServiceCallOptions, type WaitOptions } from './module.js';
export {
  SqlPages, Warehouse, type PagesOptions, type SqlColumn, type SqlResult, type SqlValue, type StatementOptions, type WarehouseInfo,
} from './sql.js';
