// SPDX-License-Identifier: Apache-2.0
#include "file/transfer.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "base/local_file.hpp"
#include "base/text.hpp"
#include "file/file_error.hpp"
#include "file/local_part.hpp"
#include "net/sha256.hpp"

namespace qconn {
namespace file {
namespace {

constexpr std::size_t k_read_size = 256 * 1024;

Error differs(const FileTransferClient& client, std::string_view path, std::string_view what) {
    Error error{FileErrc::differs, "TRANSFER-ERROR",
                "the copy of \"" + text::printable(path) + "\" is not what its original is: " + std::string{what}};
    error.with_phase(Phase::body).with_reason(Reason::bad_answer).with_retryable(true);
    error.with_connection(client.label());
    return error;
}

std::string sha256_of_local(const std::string& path) {
    LocalFile file = LocalFile::to_read(path);
    net::Sha256 digest;
    std::string block(k_read_size, '\0');
    while (const std::size_t got = file.read(block.data(), block.size())) digest.add({block.data(), got});
    return text::to_hex(digest.finish());
}

}  // namespace

std::uint64_t get_known_file(FileTransferClient& client, std::string_view path, const FileInfo& info, const std::string& file,
                             const FileCopyOptions& options, Deadline deadline) {
    LocalPart part{file, options.resume};
    const bool exact = client.has_exact_sizes();
    const std::uint64_t from = exact && options.resume && part->size() <= info.size ? part->size() : 0;
    part->cut(from);
    const auto sink = function_sink([&](std::string_view bytes) { part->write(bytes); });
    const std::uint64_t done = client.get(path, *sink, {.from = from, .progress = options.progress}, deadline);

    const std::uint64_t have = from + done;
    if (exact && have != info.size) {
        // It may have grown since it was looked at, and then all of it is here.
        const std::uint64_t now = client.stat(path, deadline).size;
        if (now != have)
            throw differs(
                client, path,
                std::to_string(have) + " bytes came, and it has " + std::to_string(now) + "; perhaps somebody writes to it: try again later");
    }
    if (options.verify == Verify::content && sha256_of_local(part->path()) != sha256_of(client, path, deadline)) {
        if (options.resume) part->cut(0);  // a beginning of something else is of no use
        throw differs(client, path, "the SHA-256 of both differ; perhaps it was changed meanwhile: try again");
    }
    part.change(info, options);
    part.finish(options.durable);
    return done;
}

}  // namespace file

std::uint64_t get_file(FileTransferClient& client, std::string_view path, const std::string& file, const FileCopyOptions& options,
                       Deadline deadline) {
    return file::get_known_file(client, path, client.stat(path, deadline), file, options, deadline);
}

std::uint64_t put_file(FileTransferClient& client, const std::string& file, std::string_view path, const FileCopyOptions& options,
                       Deadline deadline) {
    const auto source = file_source(file);
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) fail_file("looking at", file, errno);
    const bool exact = client.has_exact_sizes();
    PutOptions how{.mode = options.mode, .resume = exact && options.resume, .durable = options.durable, .progress = options.progress};
    if (options.keep_mode) how.attributes.mode = info.st_mode & 07777;
    if (options.keep_time)
        how.attributes.modified = std::chrono::system_clock::time_point{std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::seconds{info.st_mtim.tv_sec} + std::chrono::nanoseconds{info.st_mtim.tv_nsec})};
    const std::uint64_t done = client.put(path, *source, how, deadline);
    if (options.mode == WriteMode::append) return done;

    if (exact) {
        const std::uint64_t there = client.stat(path, deadline).size;
        if (there != *source->size())
            throw file::differs(client, path, "it has " + std::to_string(there) + " bytes, and " + file + " has " + std::to_string(*source->size()));
    }
    if (options.verify == Verify::content && file::sha256_of_local(file) != sha256_of(client, path, deadline))
        throw file::differs(client, path, "its SHA-256 is not that of " + file);
    return done;
}

std::string sha256_of(FileTransferClient& client, std::string_view path, Deadline deadline) {
    net::Sha256 digest;
    const auto sink = function_sink([&](std::string_view bytes) { digest.add(bytes); });
    client.get(path, *sink, {}, deadline);
    return text::to_hex(digest.finish());
}

}  // namespace qconn
