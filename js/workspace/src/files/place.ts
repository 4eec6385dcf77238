import { realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { invalid } from "../http/errors.js";

/** Longest file name, in bytes, that file systems take. */
const MAX_NAME = 255;

/** The segments of an absolute path, one trailing slash allowed. Throws a 400 for a path that could lead elsewhere. */
export function segmentsOf(path: string): string[] {
  if (!path.startsWith("/")) throw invalid(`'${path}' is not an absolute path: it must start with '/'.`);
  const segments = path.replace(/\/$/, "").split("/").slice(1);
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === ".." || segment.includes("\0")) {
      throw invalid(`'${path}' is not a valid path: '${segment}' cannot be a name in it.`);
    }
    if (Buffer.byteLength(segment) > MAX_NAME) throw invalid(`A name in the path is longer than ${MAX_NAME} bytes: '${segment}'.`);
  }
  return segments;
}

/** The place of `segments` below the folder `root`, which must exist. Throws a 400 where a link leads out of it. */
export function placeBelow(root: string, segments: string[]): string {
  const place = join(root, ...segments);
  const home = realpathSync(root);
  const real = nearestReal(place);
  if (real !== home && !real.startsWith(home + sep)) {
    throw invalid(`'${segments.join("/")}' leads out of its folder through a symbolic link.`);
  }
  return place;
}

/** The real path of the nearest folder or file above `place` that is there. */
function nearestReal(place: string): string {
  try {
    return realpathSync(place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw invalid(`'${place}' is not a path: a file stands in its way.`);
    return nearestReal(dirname(place));
  }
}
