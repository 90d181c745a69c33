// Checks scenarios against the JSON Schema as an editor would: node check.js SCHEMA FILE...
// One line each: `valid FILE`, or `invalid FILE: PATH MESSAGE`. ajv and yaml are found by NODE_PATH.
'use strict';
const fs = require('fs');
const Ajv = require('ajv');
const YAML = require('yaml');

const schema = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const ajv = new Ajv({ allErrors: false, strict: true, strictTypes: false, strictRequired: false });
if (!ajv.validateSchema(schema)) {
    console.log('the schema is no schema: ' + ajv.errorsText());
    process.exit(1);
}
const validate = ajv.compile(schema);
for (const file of process.argv.slice(3)) {
    let document;
    try {
        document = YAML.parse(fs.readFileSync(file, 'utf8'), { merge: true });
    } catch (error) {
        console.log('invalid ' + file + ': ' + String(error.message).split('\n')[0]);
        continue;
    }
    if (validate(document)) {
        console.log('valid ' + file);
    } else {
        const first = validate.errors[0];
        console.log('invalid ' + file + ': ' + first.instancePath + ' ' + first.message);
    }
}
