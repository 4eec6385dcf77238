/** Files in volumes, and notebooks and files of the workspace. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions } from './module.js';

/** What a file is made of. */
export type Content = string | Uint8Array | ArrayBuffer | Blob;

/** What is known of a file without reading it. */
export interface FileInfo {
  /** In bytes. */
  readonly size: number;
  readonly content_type: string;
  /** As HTTP tells it: `Sun, 22 Nov 2026 00:00:00 GMT`. */
  readonly last_modified: string;
}

/** A file or folder in a folder, as the Files API gives it. */
export interface DirectoryEntry {
  readonly path: string;
  readonly name: string;
  readonly is_directory: boolean;
  /** In bytes; files only. */
  readonly file_size?: number;
  /** Milliseconds since 1970; files only. */
  readonly last_modified?: number;
}

export interface UploadOptions extends ServiceCallOptions {
  /** Takes the place of a file that is there. */
  readonly overwrite?: boolean;
  /** How long it may take, in milliseconds; five minutes unless given. */
  readonly timeout?: number;
}

export interface ListOptions extends ServiceCallOptions {
  /** How many entries to give; all unless given. */
  readonly most?: number;
  /** How many to fetch with one call. */
  readonly page_size?: number;
}

/** Bytes of one piece of a stream. */
const PIECE = 8 << 20;

/**
 * The files of a workspace's volumes ([Files API](https://docs.databricks.com/api/workspace/files)), by paths such as
 * `/Volumes/main/rag/raw/a.txt`.
 *
 * ```ts
 * const files = new Files(workspace);
 * await files.upload('/Volumes/main/rag/raw/a.txt', 'hello', { overwrite: true });
 * new TextDecoder().decode(await files.download('/Volumes/main/rag/raw/a.txt')); // 'hello'
 * ```
 */
export class Files {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /**
   * Writes a whole file. Folders above it are made.
   *
   * @throws `LakeletError`: `conflict` when it is there and may not be overwritten, `not_found` when there is no such volume.
   */
  async upload(path: string, content: Content, { overwrite, timeout, signal }: UploadOptions = {}): Promise<void> {
    await operation(this.#workspace, 'files.upload', { path, overwrite, timeout_ms: timeout }, { ...given(signal), bytes: await bytesOf(content) });
  }

  /** Reads a whole file. */
  download(path: string, { signal }: ServiceCallOptions = {}): Promise<Uint8Array> {
    return this.#call('download', { path }, signal);
  }

  /**
   * Reads a file piece by piece, so that it never stands in memory whole. A file that is changed meanwhile is an error (`conflict`), never a mixture.
   */
  async stream(path: string, { signal }: ServiceCallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { size, last_modified } = await this.metadata(path, given(signal));
    let offset = 0;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const length = Math.min(PIECE, size - offset);
      if (length === 0) return controller.close();
      const piece = await this.#call<Uint8Array>('read', { path, offset, length, last_modified }, signal);
      offset += piece.length;
      controller.enqueue(piece);
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  /** What is known of a file. */
  metadata(path: string, { signal }: ServiceCallOptions = {}): Promise<FileInfo> {
    return this.#call('metadata', { path }, signal);
  }

  async delete(path: string, { signal }: ServiceCallOptions = {}): Promise<void> {
    await this.#call('delete', { path }, signal);
  }

  /** Makes a folder and those above it; one that is there stays as it is. */
  async createDirectory(path: string, { signal }: ServiceCallOptions = {}): Promise<void> {
    await this.#call('create_directory', { path }, signal);
  }

  directoryExists(path: string, { signal }: ServiceCallOptions = {}): Promise<boolean> {
    return this.#call('directory_exists', { path }, signal);
  }

  /** Deletes a folder, which has to be empty. */
  async deleteDirectory(path: string, { signal }: ServiceCallOptions = {}): Promise<void> {
    await this.#call('delete_directory', { path }, signal);
  }

  /** What is in a folder, all pages of it. */
  list(path: string, { signal, ...options }: ListOptions = {}): Promise<readonly DirectoryEntry[]> {
    return this.#call('list', { path, ...options }, signal);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal | undefined): Promise<T> {
    return operation<T>(this.#workspace, `files.${name}`, args, given(signal));
  }
}

export type NotebookLanguage = 'PYTHON' | 'SQL' | 'SCALA' | 'R';
export type WorkspaceFormat = 'SOURCE' | 'AUTO' | 'JUPYTER' | 'RAW' | 'HTML' | 'DBC' | 'R_MARKDOWN';

/** An object of the workspace, as the Workspace API gives it. */
export interface WorkspaceObject {
  readonly path: string;
  readonly object_type: 'NOTEBOOK' | 'FILE' | 'DIRECTORY' | 'LIBRARY' | 'REPO' | 'DASHBOARD';
  readonly object_id: number;
  readonly language?: NotebookLanguage;
  readonly size?: number;
  /** Milliseconds since 1970. */
  readonly created_at?: number;
  readonly modified_at?: number;
}

export interface ImportOptions extends ServiceCallOptions {
  /** The language of a notebook; without one, content is a file (or what its extension and first line say). */
  readonly language?: NotebookLanguage;
  /** `SOURCE` with a language and `AUTO` without one, unless given. */
  readonly format?: WorkspaceFormat;
  readonly overwrite?: boolean;
}

/**
 * Notebooks, files and folders of the workspace ([Workspace API](https://docs.databricks.com/api/workspace/workspace)), by paths such as
 * `/Users/me@example.com/train`.
 */
export class WorkspaceFiles {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Writes a notebook or file. Its folder has to be there. */
  async import(path: string, content: Content, { signal, ...options }: ImportOptions = {}): Promise<void> {
    await operation(this.#workspace, 'workspace_files.import', { path, ...options }, { ...given(signal), bytes: await bytesOf(content) });
  }

  /** Reads a notebook's source, or a file. */
  export(path: string, { format, signal }: { readonly format?: WorkspaceFormat } & ServiceCallOptions = {}): Promise<Uint8Array> {
    return this.#call('export', { path, format }, signal);
  }

  status(path: string, { signal }: ServiceCallOptions = {}): Promise<WorkspaceObject> {
    return this.#call('status', { path }, signal);
  }

  list(path: string, { signal }: ServiceCallOptions = {}): Promise<readonly WorkspaceObject[]> {
    return this.#call('list', { path }, signal);
  }

  /** Makes a folder and those above it. */
  async createDirectory(path: string, { signal }: ServiceCallOptions = {}): Promise<void> {
    await this.#call('create_directory', { path }, signal);
  }

  /** Deletes an object; a folder that is not empty only if `recursive`. */
  async delete(path: string, { recursive, signal }: { readonly recursive?: boolean } & ServiceCallOptions = {}): Promise<void> {
    await this.#call('delete', { path, recursive }, signal);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal | undefined): Promise<T> {
    return operation<T>(this.#workspace, `workspace_files.${name}`, args, given(signal));
  }
}

const given = (signal: AbortSignal | undefined): ServiceCallOptions => (signal ? { signal } : {});

async function bytesOf(content: Content): Promise<Uint8Array> {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  if (content instanceof Uint8Array) return content;
  return new Uint8Array(content instanceof ArrayBuffer ? content : await content.arrayBuffer());
}
