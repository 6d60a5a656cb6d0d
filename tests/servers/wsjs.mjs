// SPDX-License-Identifier: Apache-2.0
// wsjs.mjs PORT TLS_PORT TLSDIR: see wsjs.sh.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";

const require = createRequire(process.env.NPM_DIR + "/");
const { WebSocketServer } = require("ws");
const [port, tlsPort, tls] = process.argv.slice(2);

const options = {
  noServer: true,
  maxPayload: 64 * 2 ** 20,
  perMessageDeflate: process.env.WS_DEFLATE === "off" ? false : { threshold: 0 },
};
const sockets = new WebSocketServer(options);
sockets.on("connection", (socket, request) => {
  const [, route, argument] = request.url.split("/");
  if (route === "ping") {
    socket.on("pong", (data) => socket.send("pong " + data));
    socket.ping("are you there?");
  }
  socket.on("message", (data, isBinary) => {
    if (route === "close") socket.close(Number(argument), "as asked");
    else if (route === "terminate") socket.terminate();
    else socket.send(data, { binary: isBinary });
  });
});
const upgrade = (request, socket, head) => sockets.handleUpgrade(request, socket, head, (made) => sockets.emit("connection", made, request));
const plain = http.createServer((_, response) => response.writeHead(426).end("websocket only\n"));
plain.on("upgrade", upgrade).listen(port, "127.0.0.1");
const secure = https.createServer({ cert: readFileSync(tls + "/server.crt"), key: readFileSync(tls + "/server.key") });
secure.on("upgrade", upgrade).listen(tlsPort, "127.0.0.1");
