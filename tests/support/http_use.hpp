// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <qconn/http/http_client.hpp>

#include "support/use.hpp"

namespace qconn::test {

/// A GET by an HttpClient, answered by the body.
inline Use http_get(const std::string& path) {
    return {.blocking = [path](Client& client, Deadline deadline) { return dynamic_cast<HttpClient&>(client).get(path, deadline).body; },
            .asynchronous =
                [path](Client& client, Deadline deadline, Callback<std::string> callback) {
                    HttpRequest request;
                    request.path = path;
                    return dynamic_cast<HttpClient&>(client).async_request(
                        std::move(request), deadline, [callback = std::move(callback)](Result<HttpResponse> result) mutable {
                            callback(result ? Result<std::string>{std::move(result.value().body)} : Result<std::string>{result.error()});
                        });
                }};
}

}  // namespace qconn::test
