// SPDX-License-Identifier: Apache-2.0
/// Files that definitions refer to (certificates, keys, WSDL, Swagger): by path or by URL, in one way for all.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// What reading one file may cost.
struct FileLimits {
    /// In bytes.
    std::size_t max_size{16 * 1024 * 1024};
    /// The whole time of one reading.
    std::chrono::milliseconds timeout{30'000};
};

/// What a way is asked for.
struct FileRequest {
    /// As it is written, with its credentials.
    std::string reference;
    /// That a relative path counts from; empty: the working directory.
    std::string directory;
    std::size_t max_size{0};
    Deadline deadline;
};

/// How references of one URL scheme are read.
struct FileWay {
    /// For messages: "over HTTP".
    std::string words;
    /// The content. May block. @throws Error with what went wrong; need not name the reference
    std::function<std::string(const FileRequest&)> read;
};

/// Resources of an application's services, for `resource://service:name`. An embedder derives its own.
class QCONN_API ResourceSource {
public:
    ResourceSource() = default;
    ResourceSource(const ResourceSource&) = delete;
    ResourceSource& operator=(const ResourceSource&) = delete;
    virtual ~ResourceSource();

    /// Absent: the service has none of that name, or there is no such service. May block; from any thread, several at once.
    virtual std::optional<std::string> resource(std::string_view service, std::string_view name, Deadline deadline) = 0;
};

/// Reads what references lead to: a path, `file:` and further schemes, each by a way of its own.
/// A value type; const access from many threads.
class QCONN_API FileResolver {
public:
    /// Paths and `file:` (`file:///etc/x`, `file:x`, percent-encoded).
    explicit FileResolver(FileLimits limits = {});

    /// Adds a way for a URL scheme, or replaces it.
    void add(std::string scheme, FileWay way);
    /// Adds the way of `resource://service:name`.
    void add_resources(std::shared_ptr<ResourceSource> resources);
    /// The URL schemes that it knows, sorted, without `file`.
    std::vector<std::string> schemes() const;
    const FileLimits& limits() const noexcept { return limits_; }

    /// Not for I/O threads: it blocks until the file is there, the limits are met, or the deadline has passed.
    /// @param directory  that a relative path counts from: the one of the definition's file
    /// @throws Error FILE-REFERENCE-ERROR with the masked reference, the way and the reason (missing, permission, limit, timeout, unsupported …)
    std::string read(const std::string& reference, std::string_view directory = {}, Deadline deadline = {}) const;

private:
    struct Known {
        std::string scheme;
        FileWay way;
    };
    FileLimits limits_;
    std::vector<Known> ways_;
};

/// With the ways that this build of the library has: `http:` and `https:`, over HttpClient.
/// @param tls  for https
QCONN_API FileResolver builtin_file_resolver(const FileLimits& limits = {}, const TlsOptions& tls = {}, const Runtime& runtime = {});

/// The lower-case scheme of a reference that is a URL: "https", "file"; empty for a path.
QCONN_API std::string reference_scheme(std::string_view reference);
/// The path that a `file:` URL, or a path, means. @param directory  as for FileResolver::read
QCONN_API std::string reference_path(std::string_view reference, std::string_view directory);

}  // namespace qconn
