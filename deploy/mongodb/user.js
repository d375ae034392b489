// Makes the user of the service when the database is made.
db.getSiblingDB('glyphbox').createUser({
  user: 'glyphbox',
  pwd: require('fs').readFileSync('/run/secrets/mongodb-password', 'utf8').trim(),
  roles: [{role: 'readWrite', db: 'glyphbox'}],
})
