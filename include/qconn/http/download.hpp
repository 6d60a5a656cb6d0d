// SPDX-License-Identifier: Apache-2.0
/// Answers into files, gone on with where they were cut off.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/http/body.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn {

struct DownloadOptions {
    /// Goes on where an earlier call stopped, if the file on the server is still the same (its ETag or Last-Modified, RFC 9110 section 13.1.5).
    bool resume{false};
    /// How often a transfer that was cut off after some progress is gone on with, within the call.
    int continuations{5};
    Progress progress{};
};

/// GET of a path into a file. The bytes go to `FILE.part`, which becomes the file once they are all there: whoever sees the file sees it whole. After
/// a failure that stays, with what identifies its content in `FILE.part.tag`, for `resume`.
/// @returns the last answer, without its body
/// @throws Error as HttpClient::request; SYSTEM-ERROR for what the file system refuses (reason disk_full where that is it)
QCONN_API HttpResponse download(HttpClient& client, std::string_view path, const std::string& file, const DownloadOptions& options = {},
                                Deadline deadline = {});

}  // namespace qconn
