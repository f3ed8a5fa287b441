// The address of STORE/control, through the descriptor of the store's folder, because the address of a
// socket holds 107 bytes and a path may be longer.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "engine/base/status.h"

namespace stela::fsd {

class ControlAddress {
 public:
  static Result<ControlAddress> of_store(const std::string& store_directory);
  ~ControlAddress();
  ControlAddress(ControlAddress&& other) noexcept;
  ControlAddress& operator=(ControlAddress&&) = delete;

  const sockaddr* name() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t length() const { return sizeof(address_); }
  // Takes the socket's name away; nothing when there is none.
  void remove() const;

 private:
  explicit ControlAddress(int folder);
  int folder_;
  sockaddr_un address_ = {};
};

}  // namespace stela::fsd
