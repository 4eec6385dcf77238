/** What only Node can do. */
export { FolderStore } from './folder-store.js';
