// Ends with 0 when the server takes writes. The first time it makes a replica set of the server.
db.getSiblingDB('admin').auth('root', require('fs').readFileSync('/run/secrets/mongodb-root-password', 'utf8').trim())
try {
  rs.status()
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error
  rs.initiate({_id: 'rs0', members: [{_id: 0, host: 'mongodb:27017'}]})
}
quit(db.hello().isWritablePrimary ? 0 : 1)
