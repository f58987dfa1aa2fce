// OCI images for tests, in archives that `ctr image import` takes, with layers and configurations of any media type.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

// A tar archive of [name, bytes, mode] each; a name that ends in a slash is a folder.
export function tar(files) {
  const parts = [];
  for (const [name, bytes, mode = 0o755] of files) {
    const head = Buffer.alloc(512);
    head.write(name);
    for (const [at, size, value] of [[100, 8, mode], [108, 8, 0], [116, 8, 0], [124, 12, bytes.length], [136, 12, 0]]) head.write(value.toString(8).padStart(size - 1, '0'), at);
    head.write(`        ${name.endsWith('/') ? 5 : 0}`, 148);
    head.write('ustar\0' + '00', 257);
    head.write(`${[...head].reduce((a, b) => a + b, 0).toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(head, bytes, Buffer.alloc((512 - bytes.length % 512) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  wasmConfig: 'application/vnd.wasm.config.v0+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

// Writes an image of manifests, each {layers: [[type, bytes]...], config, configType, platform}; more than one
// are behind an index.
export function writeImage(file, name, manifests) {
  const blobs = new Map(), blob = (bytes, mediaType) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    blobs.set(`blobs/sha256/${hex}`, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value) => Buffer.from(JSON.stringify(value));
  const made = manifests.map(({ layers, config = {}, configType = types.config, platform }) => {
    const of = layers.map(([type, bytes]) => blob(bytes, type));
    // What has no file system has no difference from one, either.
    const differences = of.filter((l) => l.mediaType === types.layer).map((l) => l.digest);
    const said = configType === types.config ? { rootfs: { type: 'layers', diff_ids: differences } } : { layerDigests: of.map((l) => l.digest) };
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config: blob(json({ ...config, ...said }), configType), layers: of };
    return { ...blob(json(manifest), types.manifest), ...(platform && { platform }) };
  });
  const target = made.length === 1 ? made[0] : blob(json({ schemaVersion: 2, mediaType: types.index, manifests: made }), types.index);
  const index = json({ schemaVersion: 2, manifests: [{ ...target, annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name } }] });
  writeFileSync(file, tar([['oci-layout', json({ imageLayoutVersion: '1.0.0' })], ['index.json', index], ...blobs]));
}
