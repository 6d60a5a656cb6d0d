// SPDX-License-Identifier: Apache-2.0
/// Bodies that are not held in memory: from and to files, functions, other connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

struct HttpResponse;

/// Where the body of a request comes from, piece by piece. Used by one call at a time: by the calling thread of a blocking call, by an I/O thread of
/// an asynchronous one, which must not be held up. What it throws ends the call: an Error as it is, anything else as HTTP-CLIENT-BODY-ERROR.
class QCONN_API HttpBodySource {
public:
    virtual ~HttpBodySource();
    /// Bytes in all; none: not known, the body is sent in chunks (not over HTTP/1.0).
    virtual std::optional<std::uint64_t> size() const = 0;
    /// Puts up to that many bytes there, at least one; 0: the end.
    virtual std::size_t read(char* to, std::size_t most) = 0;
    /// To the beginning, before each sending, the first too: after a redirect, a refusal, a retry the body is sent once more. False: it cannot, and
    /// the call ends with an error.
    virtual bool rewind() = 0;
};

/// Where the body of an answer with a status of 2xx goes; that of any other stays in HttpResponse::body. Threads and exceptions as above. Limits on
/// the size of bodies do not hold for it.
class QCONN_API HttpBodySink {
public:
    virtual ~HttpBodySink();
    /// An answer begins; may come more than once in a call, where it is tried again: what was written before is void then.
    /// @param head  its status and headers
    virtual void begin(const HttpResponse& head);
    /// The next bytes, with content codings undone.
    virtual void write(std::string_view bytes) = 0;
};

/// Told how far a transfer is: bytes so far, and in all where that is known.
using HttpProgress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> all)>;

/// A file, as it is when it is read. It must not become shorter meanwhile.
/// @throws Error HTTP-CLIENT-BODY-ERROR where it cannot be opened
QCONN_API std::shared_ptr<HttpBodySource> file_source(const std::string& path, HttpProgress progress = {});
/// A function: as HttpBodySource::read. Cannot be rewound.
QCONN_API std::shared_ptr<HttpBodySource> function_source(std::function<std::size_t(char* to, std::size_t most)> read,
                                                          std::optional<std::uint64_t> size = {});
/// A function that is given each piece.
QCONN_API std::shared_ptr<HttpBodySink> function_sink(std::function<void(std::string_view bytes)> write);

}  // namespace qconn
