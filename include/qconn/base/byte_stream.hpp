// SPDX-License-Identifier: Apache-2.0
/// Bytes that are not held in memory: from and to files, functions, other connections.
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

/// Where the bytes of a transfer come from, piece by piece. Used by one call at a time: by the calling thread of a blocking call, by a thread of the
/// runtime of an asynchronous one, which must not be held up. What it throws ends the call: an Error as it is, anything else as an error of the
/// client's.
class QCONN_API ByteSource {
public:
    virtual ~ByteSource();
    /// Bytes in all, from the beginning; none: not known.
    virtual std::optional<std::uint64_t> size() const = 0;
    /// Puts up to that many bytes there, at least one; 0: the end.
    virtual std::size_t read(char* to, std::size_t most) = 0;
    /// To that byte, before the first read too: a transfer is gone on with, or what was sent has to be sent once more. False: it cannot, and the call
    /// ends with an error.
    virtual bool seek(std::uint64_t position) = 0;
};

/// Where the bytes of a transfer go. Threads and exceptions as above.
class QCONN_API ByteSink {
public:
    virtual ~ByteSink();
    /// The next bytes.
    virtual void write(std::string_view bytes) = 0;
};

/// Told how far a transfer is: bytes so far, and in all where that is known. Threads as above; must not throw.
using Progress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> all)>;

/// A file of this machine, as it is when it is read. It must not become shorter meanwhile.
/// @throws Error SYSTEM-ERROR where it cannot be opened
QCONN_API std::shared_ptr<ByteSource> file_source(const std::string& path, Progress progress = {});
/// A function: as ByteSource::read. Can only be read from the beginning, once.
QCONN_API std::shared_ptr<ByteSource> function_source(std::function<std::size_t(char* to, std::size_t most)> read,
                                                      std::optional<std::uint64_t> size = {});
/// A function that is given each piece.
QCONN_API std::shared_ptr<ByteSink> function_sink(std::function<void(std::string_view bytes)> write);
/// Memory. The text must live as long as the source.
QCONN_API std::shared_ptr<ByteSource> text_source(std::string_view text);

}  // namespace qconn
