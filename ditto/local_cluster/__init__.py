"""All processes of a cluster on this machine: started, watched and stopped together."""

from ditto.local_cluster.cluster import ClusterPlan, LocalCluster

__all__ = ["ClusterPlan", "LocalCluster"]
