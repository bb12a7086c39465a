"""LIF files, written by hand: no library writes them."""

import struct


def lif(path, pictures, side_um, *, tables=("Gray",), claimed=None):
    """Writes a LIF file: XML in UTF-16, then one block of memory per picture.

    Args:
      path: of the file.
      pictures: dict from name to pixels (Z, C, H, W) or (H, W), 16 bits.
      side_um: side of a pixel.
      tables: names of the colour tables of the channels.
      claimed: height and width that the XML states; None for the true ones.
    """
    elements, blocks = "", b""
    for number, (name, pixels) in enumerate(pictures.items()):
        pixels = pixels.reshape((1, 1, *pixels.shape)[-4:])
        height, width = claimed or pixels.shape[2:]
        plane = 2 * height * width
        steps = [(1, width, 2), (2, height, 2 * width), (3, len(pixels), plane * len(tables))]
        dimensions = "".join(
            f'<DimensionDescription DimID="{axis}" NumberOfElements="{count}" Origin="0" '
            f'Length="{(count - 1) * side_um * 1e-6}" Unit="m" BitInc="0" BytesInc="{step}" />'
            for axis, count, step in steps
            if axis < 3 or count > 1
        )
        channels = "".join(
            '<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" '
            'NameOfMeasuredQuantity="" Min="0" Max="65535" Unit="" '
            f'LUTName="{table}" IsLUTInverted="0" BytesInc="{n * plane}" BitInc="0" />'
            for n, table in enumerate(tables)
        )
        elements += (
            f'<Element Name="{name}"><Data><Image><ImageDescription><Channels>{channels}'
            f"</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
            f'<Memory Size="{pixels.nbytes}" MemoryBlockID="MemBlock_{number}" /></Element>'
        )
        identity = f"MemBlock_{number}"
        head = struct.pack("<BQBI", 0x2A, pixels.nbytes, 0x2A, len(identity))
        blocks += _block(head + identity.encode("utf-16-le")) + pixels.tobytes()
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="a"><Children>'
        f"{elements}</Children></Element></LMSDataContainerHeader>"
    )
    head = struct.pack("<BI", 0x2A, len(xml)) + xml.encode("utf-16-le")
    path.write_bytes(_block(head) + blocks)
    return path


def _block(content):
    return struct.pack("<II", 0x70, len(content)) + content
