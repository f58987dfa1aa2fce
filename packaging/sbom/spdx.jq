# The SPDX document of packaging/sbom/sbom, from its lists.
def rows: split("\n") | map(select(. != "" and (startswith("#") | not)) | split(" ") | map(select(. != "")));
# Identifiers have letters, digits, points and hyphens.
def identifier(kind): "SPDXRef-\(kind)-" + gsub("[^A-Za-z0-9.]+"; "-");
def relation(from; type; to): {spdxElementId: from, relationshipType: type, relatedSpdxElement: to};
def purl(package; version; architecture):
    "pkg:deb/debian/\(package)@\(version | @uri)?arch=\(architecture)&distro=\($distribution)";

($licences | rows | map({key: .[0], value: (.[1:] | join(" "))}) | from_entries) as $licence
| ($files | rows | map({sha1: .[0], sha256: .[1], name: (.[2:] | join(" "))})) as $found
| ($links | rows | map({file: .[0], package: .[1], version: .[2], architecture: .[3], source: .[4], source_version: .[5]})) as $linked
| ($tools | rows | map({package: .[0], version: .[1], architecture: .[2]})) as $built
| ($name | identifier("Package")) as $self
| ($linked | map(.file) | unique) as $programs
| {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: "\($name)-\($version)-\($architecture)",
    documentNamespace: "https://spdx.org/spdxdocs/\($name)-\($version)-\($architecture)-\($digest)",
    creationInfo: {created: $created, creators: ["Organization: carrel developers", "Tool: carrel-sbom-\($version)"]},
    packages: ([{
        SPDXID: $self, name: $name, versionInfo: $version,
        downloadLocation: "NOASSERTION", supplier: "Organization: carrel developers",
        filesAnalyzed: true,
        # The SHA-1 of the SHA-1 digests of all files, sorted, one after the other (SPDX 2.3, 7.9).
        packageVerificationCode: {packageVerificationCodeValue: $verification},
        licenseDeclared: "Apache-2.0 WITH LLVM-exception", licenseConcluded: "NOASSERTION",
        licenseInfoFromFiles: ["NOASSERTION"], copyrightText: "2026 carrel developers",
        primaryPackagePurpose: "APPLICATION",
        externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl($name; $version; $architecture)}]
      }]
      + ($linked | unique_by(.package) | map({
        SPDXID: (.package | identifier("Package")), name: .package, versionInfo: .version,
        sourceInfo: "built from the Debian source package \(.source) \(.source_version)",
        downloadLocation: "NOASSERTION", supplier: "Organization: Debian", filesAnalyzed: false,
        licenseDeclared: $licence[.source], licenseConcluded: "NOASSERTION", copyrightText: "NOASSERTION",
        primaryPackagePurpose: "LIBRARY",
        externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl(.package; .version; .architecture)}]
      }))
      + ($linked | map(.package) | unique) as $libraries
      | . + ($built | map(select(.package as $p | $libraries | index($p) | not)) | map({
        SPDXID: (.package | identifier("Package")), name: .package, versionInfo: .version,
        downloadLocation: "NOASSERTION", supplier: "Organization: Debian", filesAnalyzed: false,
        licenseDeclared: "NOASSERTION", licenseConcluded: "NOASSERTION", copyrightText: "NOASSERTION",
        externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl(.package; .version; .architecture)}]
      }))),
    files: ($found | map({
        SPDXID: (.name | identifier("File")), fileName: .name,
        checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}],
        fileTypes: [if .name as $n | $programs | index($n) then "BINARY" else "OTHER" end],
        licenseConcluded: "NOASSERTION", licenseInfoInFiles: ["NOASSERTION"], copyrightText: "NOASSERTION"
      })),
    relationships: (
      [relation("SPDXRef-DOCUMENT"; "DESCRIBES"; $self)]
      + ($found | map(relation($self; "CONTAINS"; .name | identifier("File"))))
      + ($linked | map(relation(.file | identifier("File"); "STATIC_LINK"; .package | identifier("Package"))))
      + ($built | map(relation(.package | identifier("Package"); "BUILD_DEPENDENCY_OF"; $self))))
  }
