// SPDX-License-Identifier: Apache-2.0
// What is in files: read, written, fetched, sent.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "file/storage.hpp"
#include "file/temporary_file.hpp"
#include "file/temporary_name.hpp"

namespace qconn::file {
namespace {

/// One call of put().
struct Incoming {
    const Task& task;
    ByteSource& source;
    const PutOptions& options;
    const Stop& stop;

    /// All that the source has from there on. @param done  grows by what is in the file, also where it fails
    void write_to(int fd, std::uint64_t from, std::uint64_t& done) const {
        if (!of_caller(task, [&] { return source.seek(from); }))
            throw file_error(task, FileErrc::failed, Reason::unsupported,
                             "the source cannot be read from the beginning, or from where the part ends");
        const auto all = of_caller(task, [&] { return source.size(); });
        std::string block(static_cast<std::size_t>(all ? std::clamp<std::uint64_t>(*all - from, 1, k_block) : k_block), '\0');
        for (;;) {
            stop.check(task);
            const std::size_t got = of_caller(task, [&] { return source.read(block.data(), block.size()); });
            if (got == 0) return;
            write_all(task, fd, {block.data(), got}, stop, done);
            if (options.progress) of_caller(task, [&] { options.progress(from + done, all); });
        }
    }
};

std::uint64_t put_new(const Incoming& incoming, const Spot& spot) {
    const Task& task = incoming.task;
    Stat old{};
    const bool there = ::fstatat(spot.folder.get(), spot.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there && errno != ENOENT) throw file_error(task, errno);
    if (there && !S_ISREG(old.st_mode)) throw not_regular(task, old.st_mode);
    const bool replace = incoming.options.mode == WriteMode::replace;
    if (there && !replace) throw file_error(task, EEXIST);  // the rename says so too, after all the writing
    // A rename asks for the right to change the directory only. A file that this user could not write to is not replaced behind its owner's back.
    if (there && ::faccessat(spot.folder.get(), spot.name.c_str(), W_OK, AT_EACCESS) != 0) throw file_error(task, errno);

    const mode_t mode = there ? 0600 : 0666;
    TemporaryFile file =
        incoming.options.resume ? TemporaryFile::part(task, spot.folder, part_name(spot.name), mode) : TemporaryFile{task, spot.folder, mode};
    std::uint64_t from = 0;
    if (incoming.options.resume) {
        Stat part{};
        if (::fstat(file.fd(), &part) != 0) throw file_error(task, errno);
        from = static_cast<std::uint64_t>(part.st_size);
        const auto all = of_caller(task, [&] { return incoming.source.size(); });
        if ((all && from > *all) || !of_caller(task, [&] { return incoming.source.seek(from); })) {
            from = 0;
            if (::ftruncate(file.fd(), 0) != 0) throw file_error(task, errno);
        }
        if (::lseek(file.fd(), static_cast<off_t>(from), SEEK_SET) < 0) throw file_error(task, errno);
    }
    std::uint64_t done = 0;
    incoming.write_to(file.fd(), from, done);
    if (there) take_over(task, file.fd(), old);
    change(task, file.fd(), incoming.options.attributes);
    sync(task, file.fd());
    file.end(task);
    file.place(task, spot, replace, incoming.stop);
    return done;
}

std::uint64_t append(const Incoming& incoming, const Spot& spot) {
    const Task& task = incoming.task;
    Stat before{};
    UniqueFd fd;
    bool made = false;
    // Creating and opening are apart, so that a file that this call has made can go again where it stays without contents.
    fd.reset(::openat(spot.folder.get(), spot.name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd)
        made = true;
    else if (errno != EEXIST)
        throw file_error(task, errno);
    else
        fd = open_regular(task, spot, O_WRONLY | O_APPEND, before);
    std::uint64_t done = 0;
    try {
        incoming.write_to(fd.get(), 0, done);
        change(task, fd.get(), incoming.options.attributes);
        sync(task, fd.get());
        incoming.stop.commit(task);  // who has been told of a cancellation finds the file as it was
        return done;
    } catch (...) {
        // What was written of it goes again, unless somebody else has appended meanwhile, before or behind it: then it cannot be taken out.
        Stat now{};
        if (::fstat(fd.get(), &now) == 0 && done > 0 && now.st_size == before.st_size + static_cast<::off_t>(done)) {
            if (::ftruncate(fd.get(), before.st_size) == 0) now.st_size = before.st_size;
        }
        if (made && now.st_size == 0) ::unlinkat(spot.folder.get(), spot.name.c_str(), 0);
        throw;
    }
}

std::uint64_t overwrite(const Incoming& incoming, const Spot& spot) {
    const Task& task = incoming.task;
    UniqueFd fd{::openat(spot.folder.get(), spot.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666)};
    if (!fd) {
        if (errno != EEXIST) throw file_error(task, errno);
        Stat info{};
        fd = open_regular(task, spot, O_WRONLY, info);
    }
    incoming.stop.commit(task);
    if (::ftruncate(fd.get(), 0) != 0) throw file_error(task, errno);
    std::uint64_t done = 0;
    incoming.write_to(fd.get(), 0, done);
    change(task, fd.get(), incoming.options.attributes);
    sync(task, fd.get());
    return done;
}

}  // namespace

std::string read(const Task& task, const FileOptions& options, const Stop& stop) {
    Stat info{};
    const UniqueFd fd = open_regular(task, find_spot(task, options.path, task.path, options.confine, true), O_RDONLY, info);
    const auto too_large = [&] {
        return file_error(task, FileErrc::limit, Reason::limit,
                          "the file is larger than " + std::to_string(options.max_read) + " bytes (max_read_size)");
    };
    const auto known = static_cast<std::uint64_t>(info.st_size);
    if (known > options.max_read) throw too_large();

    std::string data;
    std::size_t size = 0;
    for (;;) {
        stop.check(task);
        // One byte more than is known, to see the end without another block; files of /proc say that they have none.
        const std::size_t room = known > size ? std::min<std::size_t>(k_block, static_cast<std::size_t>(known) - size + 1) : k_block;
        if (data.capacity() < size + room) data.reserve(std::max(size + room, static_cast<std::size_t>(known) + 1));
        data.resize(size + room);
        const auto got = ::read(fd.get(), data.data() + size, room);
        if (got < 0 && errno != EINTR) throw file_error(task, errno);
        if (got > 0) size += static_cast<std::size_t>(got);
        if (got == 0) break;
        if (size > options.max_read) throw too_large();
    }
    data.resize(size);
    return data;
}

std::uint64_t get(const Task& task, const FileOptions& options, ByteSink& sink, const GetOptions& how, const Stop& stop) {
    Stat info{};
    const UniqueFd fd = open_regular(task, find_spot(task, options.path, task.path, options.confine, true), O_RDONLY, info);
    constexpr std::uint64_t farthest = std::numeric_limits<off_t>::max();
    if (::lseek(fd.get(), static_cast<off_t>(std::min(how.from, farthest)), SEEK_SET) < 0) throw file_error(task, errno);
    const auto all = static_cast<std::uint64_t>(info.st_size);
    std::string block(static_cast<std::size_t>(std::clamp<std::uint64_t>(all, 1, k_block)), '\0');  // files of /proc say that they have none
    std::uint64_t done = 0;
    while (done < how.most) {
        stop.check(task);
        const auto got = ::read(fd.get(), block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), how.most - done)));
        if (got < 0 && errno != EINTR) throw file_error(task, errno);
        if (got == 0) break;
        if (got < 0) continue;
        const auto size = static_cast<std::size_t>(got);
        of_caller(task, [&] { sink.write({block.data(), size}); });
        done += size;
        if (how.progress) of_caller(task, [&] { how.progress(how.from + done, all); });
    }
    return done;
}

std::uint64_t put(const Task& task, const FileOptions& options, ByteSource& source, const PutOptions& how, const Stop& stop) {
    refuse_read_only(task, options);
    stop.check(task);
    if (task.path.ends_with('/')) throw file_error(task, EISDIR);
    const Spot spot = find_spot(task, options.path, task.path, options.confine, true);
    if (spot.name == ".") throw file_error(task, EISDIR);
    const Incoming incoming{task, source, how, stop};
    switch (how.mode) {
        case WriteMode::append: return append(incoming, spot);
        case WriteMode::in_place: return overwrite(incoming, spot);
        case WriteMode::replace:
        case WriteMode::create: break;
    }
    return put_new(incoming, spot);
}

}  // namespace qconn::file
