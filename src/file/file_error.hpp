// SPDX-License-Identifier: Apache-2.0
/// From errno to Error.
#pragma once

#include <string>
#include <string_view>

#include <qconn/file/file_client.hpp>

namespace qconn::file {

/// What is being done, for messages. Views into what the caller holds.
struct Task {
    std::string_view label;      ///< of the client
    std::string_view directory;  ///< of the connection
    std::string_view verb;       ///< "reading"
    std::string_view path;       ///< as the caller gave it
};

/// `reading "a.txt" in /data failed: No such file or directory; …` with reason, detail and the name that go with the error.
Error file_error(const Task& task, int error);
/// The same for what no errno says.
Error file_error(const Task& task, FileErrc code, Reason reason, std::string_view what);
/// TIMEOUT and CANCELLED.
Error stopped(const Task& task, bool cancelled, std::string_view addition = {});
/// CONNECTION-ERROR about the directory itself.
Error directory_error(const Task& task, int error, std::string_view what);

}  // namespace qconn::file
