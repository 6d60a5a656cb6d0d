// SPDX-License-Identifier: Apache-2.0
// Where the library is built without HTTP (QCONN_WITH_HTTP).
#include "net/crl.hpp"

namespace qconn::net {

FetchedCrl fetch_crl(const CrlWant& want, Deadline) {
    return {nullptr, want.source.front() + ": this build of qconn has no HTTP to fetch it by; name the list by ssl_crl_file"};
}

}  // namespace qconn::net
