// Pictures: what bytes really are (never what a message claims), how large they will be drawn, and making one that fits.

export const MAX_PICTURE_BYTES = 700_000;
const MAX_PIXELS = 40_000_000; // larger ones are offered as a download: a small file can unpack to gigabytes

/// `{type, width, height}` of a PNG, JPEG, GIF or WebP that may be shown, else null.
export function readPicture(bytes) {
  const view = new DataView(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
  const found = size(view);
  if (!found || found.width < 1 || found.height < 1 || found.width * found.height > MAX_PIXELS) return null;
  return found;
}

function size(v) {
  const n = v.byteLength;
  if (n >= 24 && v.getUint32(0) === 0x89504e47 && v.getUint32(4) === 0x0d0a1a0a)
    return { type: 'image/png', width: v.getUint32(16), height: v.getUint32(20) };
  if (n >= 10 && v.getUint32(0) === 0x47494638)
    return { type: 'image/gif', width: v.getUint16(6, true), height: v.getUint16(8, true) };
  if (n >= 30 && v.getUint32(0) === 0x52494646 && v.getUint32(8) === 0x57454250) return webp(v);
  if (n >= 4 && v.getUint16(0) === 0xffd8) return jpeg(v);
  return null;
}

function webp(v) {
  const type = 'image/webp';
  switch (v.getUint32(12)) {
    case 0x56503820: // "VP8 "
      return { type, width: v.getUint16(26, true) & 0x3fff, height: v.getUint16(28, true) & 0x3fff };
    case 0x5650384c: { // "VP8L"
      const bits = v.getUint32(21, true);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 0x56503858: // "VP8X"
      return {
        type,
        width: (v.getUint8(24) | (v.getUint8(25) << 8) | (v.getUint8(26) << 16)) + 1,
        height: (v.getUint8(27) | (v.getUint8(28) << 8) | (v.getUint8(29) << 16)) + 1,
      };
    default:
      return null;
  }
}

function jpeg(v) {
  let at = 2;
  while (at + 9 < v.byteLength) {
    if (v.getUint8(at) !== 0xff) return null;
    const marker = v.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (frame) return { type: 'image/jpeg', width: v.getUint16(at + 7), height: v.getUint16(at + 5) };
    at += 2 + v.getUint16(at + 2);
  }
  return null;
}

/// A chosen file as `{image, type, name}`: its own bytes when they fit and browsers show them, else drawn smaller as a JPEG.
export async function preparePicture(file) {
  const name = (file.name || 'picture').slice(0, 100);
  if (file.size <= MAX_PICTURE_BYTES) {
    const image = await file.arrayBuffer();
    const known = readPicture(image);
    if (known) return { image, type: known.type, name };
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`“${name}” is not a picture that this browser can read.`);
  }
  try {
    for (const side of [2048, 1600, 1280, 960, 640, 320]) {
      const blob = await drawSmaller(bitmap, side);
      if (blob && blob.size <= MAX_PICTURE_BYTES)
        return { image: await blob.arrayBuffer(), type: 'image/jpeg', name: name.replace(/\.\w{1,5}$/, '') + '.jpg' };
    }
  } finally {
    bitmap.close();
  }
  throw new Error(`“${name}” is too large to send.`);
}

function drawSmaller(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff'; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.85));
}
