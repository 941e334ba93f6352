"""What the tools' files share: the shape of an adapter, signatures, bodies, and texts made plain."""
