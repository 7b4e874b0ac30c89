// A portrait and a WAV file in, an MP4 out, from Node without generated code:
//   npm install @grpc/grpc-js @grpc/proto-loader
//   node examples/node/animate.mjs 127.0.0.1:50051 examples/astronaut.jpg examples/speech.wav out.mp4
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [address, portrait, speech, output] = process.argv.slice(2);
const protos = fileURLToPath(new URL("../../protos", import.meta.url));
const { ditto } = grpc.loadPackageDefinition(
  loadSync("ditto/v1/animation.proto", {
    includeDirs: [protos],
    enums: String,
    longs: Number,
    defaults: true,
    oneofs: true,
  }),
);
const client = new ditto.v1.AnimationService(address, grpc.credentials.createInsecure());
const call = client.Animate();
const file = createWriteStream(output);

call.on("data", ({ response, chunk, event, stats }) => {
  if (response === "started") sendSpeech();
  if (response === "chunk") file.write(chunk.data);
  if (response === "event") console.log(`frame ${event.frameIndex}: ${event.kind}`);
  if (response === "stats") console.log(`${stats.frames} frames, the first after ${stats.ffdMs} ms`);
});
call.on("end", () => file.end());
call.on("error", ({ code, details }) => {
  console.error(`${grpc.status[code]}: ${details}`);
  process.exitCode = 1;
});
call.write({
  config: {
    portrait: readFileSync(portrait),
    audioFormat: { encoding: "AUDIO_ENCODING_WAV" },
    videoFormat: { encoding: "VIDEO_ENCODING_H264_FMP4" },
    motion: { yawOffsetDegrees: 8 },
  },
});

async function sendSpeech() {
  for await (const audio of createReadStream(speech, { highWaterMark: 32 * 1024 })) {
    if (!call.write({ audio })) await new Promise((resolve) => call.once("drain", resolve));
  }
  call.end();
}
