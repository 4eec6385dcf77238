/** Unity Catalog: catalogs, schemas, tables, volumes, functions and registered models; who may do what; functions as tools. */
import { Tool, type ToolArgs } from '../tool.js';
import type { Workspace } from '../workspace.js';
import { given, operation, type ServiceCallOptions, type WaitOptions } from './module.js';
import { Warehouse } from './sql.js';

/** What all objects have, by the names of the REST API. */
interface SecurableInfo {
  readonly name: string;
  readonly full_name?: string;
  readonly owner?: string;
  readonly comment?: string;
  readonly [member: string]: unknown;
}

/** A catalog. */
export interface CatalogInfo extends SecurableInfo {
  readonly properties?: Readonly<Record<string, string>>;
}

/** A schema. */
export interface SchemaInfo extends SecurableInfo {
  readonly catalog_name: string;
  readonly properties?: Readonly<Record<string, string>>;
}

interface SchemaMember extends SecurableInfo {
  readonly catalog_name: string;
  readonly schema_name: string;
}

/** A column of a table. */
export interface ColumnInfo {
  readonly name: string;
  /** `LONG`, `STRING`, `ARRAY` ... */
  readonly type_name: string;
  /** `bigint`, `string`, `array<string>` ... */
  readonly type_text: string;
  readonly nullable?: boolean;
  readonly comment?: string;
}

/** A table or view. */
export interface TableInfo extends SchemaMember {
  readonly table_type: string;
  readonly columns?: readonly ColumnInfo[];
}

/** A volume, whose files lie at `/Volumes/<catalog>/<schema>/<volume>`. */
export interface VolumeInfo extends SchemaMember {
  readonly volume_type: 'MANAGED' | 'EXTERNAL';
}

/** A function. */
export interface FunctionInfo extends SchemaMember {
  /** The type of its value; `TABLE_TYPE` for a table. */
  readonly data_type: string;
  readonly routine_definition?: string;
}

/** A registered model. */
export type RegisteredModelInfo = SchemaMember;

/** A version of a registered model. */
export interface ModelVersionInfo {
  readonly version: number;
  readonly status?: string;
  readonly [member: string]: unknown;
}

/** What was granted to whom: `SELECT`, `USE_CATALOG`, `EXECUTE`, `READ_VOLUME` ... */
export interface Privileges {
  readonly principal: string;
  readonly privileges: readonly string[];
}

/** What counts for whom, and where it comes from. */
export interface EffectivePrivileges {
  readonly principal: string;
  readonly privileges: readonly { readonly privilege: string; readonly inherited_from_name?: string; readonly inherited_from_type?: string }[];
}

/** What is granted to, and taken from, a user, group or service principal. */
export interface PrivilegeChange {
  readonly principal: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

type PermissionsOptions = { readonly principal?: string } & ServiceCallOptions;
type Kind = 'catalog' | 'schema' | 'table' | 'volume' | 'function' | 'model';

/** The objects of one kind. */
export class Securables<Info> {
  readonly #workspace: Workspace;
  readonly #kind: Kind;

  /** @internal */
  constructor(workspace: Workspace, kind: Kind) {
    this.#workspace = workspace;
    this.#kind = kind;
  }

  /**
   * Those in a catalog (`main`) or in a schema (`main.rag`), over all pages.
   *
   * @param within not for catalogs.
   * @param options `max_results`: no more than these.
   */
  list(within = '', options: { readonly max_results?: number } & ServiceCallOptions = {}): Promise<Info[]> {
    return this.call('list', { ...given(options), within }, options);
  }

  /** One, by its full name. */
  get(fullName: string, options?: ServiceCallOptions): Promise<Info> {
    return this.call('get', { full_name: fullName }, options);
  }

  /** Whether there is one of the name. */
  exists(fullName: string, options?: ServiceCallOptions): Promise<boolean> {
    return this.call('exists', { full_name: fullName }, options);
  }

  /** Makes one as described, by the names of the REST API. */
  create(description: Readonly<Record<string, unknown>> & { readonly name: string }, options?: ServiceCallOptions): Promise<Info> {
    return this.call('create', { description }, options);
  }

  /** Deletes one; with `force` a catalog or schema with all that is in it. */
  async delete(fullName: string, options: { readonly force?: boolean } & ServiceCallOptions = {}): Promise<void> {
    await this.call('delete', { ...given(options), full_name: fullName }, options);
  }

  /** What was granted on an object itself; to one principal only, if one is named. */
  permissions(fullName: string, options: PermissionsOptions = {}): Promise<Privileges[]> {
    return this.call('permissions', { ...given(options), full_name: fullName }, options);
  }

  /** What counts on an object, with what was granted on what holds it. */
  effectivePermissions(fullName: string, options: PermissionsOptions = {}): Promise<EffectivePrivileges[]> {
    return this.call('effective_permissions', { ...given(options), full_name: fullName }, options);
  }

  /** Grants and takes privileges; gives what is granted then. */
  updatePermissions(fullName: string, changes: readonly PrivilegeChange[], options?: ServiceCallOptions): Promise<Privileges[]> {
    return this.call('update_permissions', { full_name: fullName, changes }, options);
  }

  /** @internal */
  protected call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: ServiceCallOptions): Promise<T> {
    return operation<T>(this.#workspace, `unity_catalog.${name}`, { kind: this.#kind, ...args }, options);
  }
}

/** Registered models, their versions, and the aliases that point at one. */
export class RegisteredModels extends Securables<RegisteredModelInfo> {
  /** The versions of a model. */
  versions(fullName: string, options?: ServiceCallOptions): Promise<ModelVersionInfo[]> {
    return this.call('model_versions', { full_name: fullName }, options);
  }

  /** A version of a model, by its number or by an alias. */
  version(fullName: string, version: number | string, options?: ServiceCallOptions): Promise<ModelVersionInfo> {
    if (typeof version === 'number') return this.call('model_version', { full_name: fullName, version }, options);
    return this.call('model_version_by_alias', { full_name: fullName, alias: version }, options);
  }

  /** Deletes a version of a model. */
  async deleteVersion(fullName: string, version: number, options?: ServiceCallOptions): Promise<void> {
    await this.call('delete_model_version', { full_name: fullName, version }, options);
  }

  /** Points an alias, `champion` for instance, at a version. */
  async setAlias(fullName: string, alias: string, version: number, options?: ServiceCallOptions): Promise<void> {
    await this.call('set_model_alias', { full_name: fullName, alias, version }, options);
  }

  /** Takes an alias away. */
  async deleteAlias(fullName: string, alias: string, options?: ServiceCallOptions): Promise<void> {
    await this.call('delete_model_alias', { full_name: fullName, alias }, options);
  }
}

/** What a function is run on, and for how long. */
type ToolOptions = { readonly warehouse?: Warehouse } & Pick<WaitOptions, 'timeout'> & ServiceCallOptions;

interface DescribedTool {
  readonly name: string;
  readonly desc: string;
  readonly args: ToolArgs;
  readonly function: FunctionInfo;
}

/**
 * Unity Catalog, as the caller may see it ([REST API](https://docs.databricks.com/api/workspace/catalogs)).
 *
 * ```ts
 * const catalog = new UnityCatalog(workspace);
 * const tables = await catalog.tables.list('main.rag');
 * const agent = react('question -> answer', { tools: await catalog.tools('main.tools') });
 * ```
 */
export class UnityCatalog {
  readonly #workspace: Workspace;
  readonly catalogs: Securables<CatalogInfo>;
  readonly schemas: Securables<SchemaInfo>;
  /** Managed tables are made by SQL. */
  readonly tables: Omit<Securables<TableInfo>, 'create'>;
  readonly volumes: Securables<VolumeInfo>;
  readonly functions: Securables<FunctionInfo>;
  readonly models: RegisteredModels;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.catalogs = new Securables(workspace, 'catalog');
    this.schemas = new Securables(workspace, 'schema');
    this.tables = new Securables(workspace, 'table');
    this.volumes = new Securables(workspace, 'volume');
    this.functions = new Securables(workspace, 'function');
    this.models = new RegisteredModels(workspace, 'model');
  }

  /**
   * A function as a tool for agents: what a model asks for is run on a warehouse.
   *
   * The tool is called `catalog__schema__function`, as in Databricks' own toolkits. A scalar function gives its value, a table function
   * `{ rows, truncated }` with its first hundred rows.
   *
   * @param options `warehouse`: that of the environment unless given; `timeout`: how long a call may take, in milliseconds.
   */
  async tool(fullName: string, options: ToolOptions = {}): Promise<Tool<Record<string, unknown>>> {
    return this.#tool(await operation<DescribedTool>(this.#workspace, 'unity_catalog.tool', { full_name: fullName }, options), options);
  }

  /** All functions of a schema (`main.tools`) as tools. */
  async tools(schema: string, options: ToolOptions = {}): Promise<Tool<Record<string, unknown>>[]> {
    const described = await operation<DescribedTool[]>(this.#workspace, 'unity_catalog.tools', { within: schema }, options);
    return described.map((tool) => this.#tool(tool, options));
  }

  #tool({ function: info, ...spec }: DescribedTool, { warehouse = new Warehouse(this.#workspace), timeout }: ToolOptions): Tool<Record<string, unknown>> {
    const wait = timeout === undefined ? {} : { timeout };
    return new Tool(spec, (args) => operation(this.#workspace, 'unity_catalog.call_function', { function: info, arguments: args, warehouse_id: warehouse.id }, wait));
  }
}
