// usage: node nodemailer.js '{"port":..,"secure":..,"method":..,"user":..,"pass":..,"from":..,"to":..,"raw":FILE,"ca":FILE}'
const fs = require('fs');
const nodemailer = require('nodemailer');
const o = JSON.parse(process.argv[2]);
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: o.port, secure: o.secure, requireTLS: !o.secure,
  tls: {ca: fs.readFileSync(o.ca)}, authMethod: o.method,
  auth: {user: o.user, pass: o.pass},
});
transport.sendMail({envelope: {from: o.from, to: [o.to]}, raw: fs.readFileSync(o.raw)})
  .then((info) => console.log(info.response))
  .catch((error) => { console.error(error.response || error.message); process.exitCode = 1; });
